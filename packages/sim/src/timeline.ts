/** Lines of the trace about single operations of disks and messages: too many to read them all. */
const detail = /^(?:n\d+ (?:lock|unlock|list|open|size|read|write|sync|truncate|close) |call )/u;
const wide = /^(?:n\d+ (?:rename|remove|syncDirectory|free) )/u;

/**
 * The trace as somebody reads it: seconds, a column for what happened to whom, and without what
 * disks and messages did, unless all of it is wanted.
 */
export function timeline(trace: readonly string[], withDetail: boolean): readonly string[] {
  const lines: string[] = [];
  let left = 0;
  for (const line of trace) {
    const space = line.indexOf(" ");
    const what = line.slice(space + 1);
    if (!withDetail && (detail.test(what) || wide.test(what))) {
      left += 1;
      continue;
    }
    if (left > 0) lines.push(`${" ".repeat(14)}… ${left} of disks and messages`);
    left = 0;
    lines.push(`${secondsOf(Number(line.slice(0, space)))}  ${what}`);
  }
  return lines;
}

function secondsOf(ms: number): string {
  return `${(ms / 1000).toFixed(6)} s`.padStart(14);
}
