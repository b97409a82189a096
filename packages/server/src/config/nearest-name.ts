/** The known name that differs least from `name`, if it is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = 4;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    // Of a short name, what has another letter is another name.
    const isNear = distance === 0 || distance < candidate.length / 2;
    if (isNear && distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Letters added, left out, replaced, or swapped with their neighbour. */
function editDistance(left: string, right: string): number {
  const rows = [Array.from({ length: right.length + 1 }, (_, at) => at)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? left.length + 1;
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    rows.push(next);
    for (let j = 1; j <= right.length; j += 1) {
      const isSwapped = i > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      next.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + Number(left[i - 1] !== right[j - 1]),
          isSwapped ? at(i - 2, j - 2) + 1 : left.length + 1,
        ),
      );
    }
  }
  return at(left.length, right.length);
}
