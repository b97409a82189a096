/** Lays rows out in columns under their titles: names to the left, numbers to the right. */
export function alignedText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, text] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, text.length);
  }
  const isName = widths.map((_, at) => rows.slice(1).some((row) => /^[a-z]/u.test(row[at] ?? "")));
  const cell = (text: string, at: number): string =>
    isName[at] === true ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0);
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}
