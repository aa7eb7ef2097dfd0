/** Begins each line of a worker's reports, so that nothing else that is printed is taken for one. */
export const reportMark = "@crosstrail ";
