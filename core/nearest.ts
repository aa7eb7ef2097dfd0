/** The known name that a misspelled one most likely means: at most three edits away, and less than half of it changed. */
export function nearest(name: string, candidates: string[]): string | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, edits: editDistance(name, candidate) }));
  ranked.sort((a, b) => a.edits - b.edits);
  return ranked[0] && ranked[0].edits <= 3 && ranked[0].edits * 2 < name.length ? ranked[0].candidate : undefined;
}

/** How many letters have to be added, removed or replaced to make one of the other; letter case does not count. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1;
      next[j] = Math.min((next[j - 1] as number) + 1, (row[j] as number) + 1, (row[j - 1] as number) + cost);
    }
    row = next;
  }
  return row[b.length] as number;
}
