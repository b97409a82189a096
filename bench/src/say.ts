/** Tells whoever waits how far the bench is: beside the report, which goes to standard output. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
