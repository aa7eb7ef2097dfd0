// Colors on a terminal, and where they are asked for; never in a log, also not in that of a CI.

import { createColors } from "picocolors";

const { FORCE_COLOR, NO_COLOR, TERM } = process.env;

// A Boolean: createColors takes undefined for a question, and then says yes to every CI.
export const pc = createColors(Boolean(!NO_COLOR && (FORCE_COLOR || (process.stdout.isTTY && TERM !== "dumb"))));
