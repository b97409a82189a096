import type { DiskImage } from "../disk.ts";

/** Where in a segment its kind stands, and that of what updates write; see log-format.md. */
const kindAt = 12;
const kindBytes = 4;

/**
 * Segments that may rot, with their bytes: of each log all but the last ones. Rot of the last group
 * that updates have written looks like a torn write, which no restart can tell apart; and what
 * compaction has written meanwhile has higher numbers.
 */
export function rottableSegments(
  image: DiskImage,
  { spared }: { readonly spared: number },
): readonly (readonly [string, Uint8Array])[] {
  const segments = [...image].filter(([name]) => name.endsWith(".seg"));
  return segments.filter(([name], at) => {
    const later = segments.slice(at + 1).filter(([other]) => logOf(other) === logOf(name));
    const written = later.filter(([, bytes]) => isWrittenByUpdates(bytes));
    return Math.min(later.length, written.length) >= spared;
  });
}

function logOf(segment: string): string {
  return segment.slice(0, segment.lastIndexOf("log-"));
}

function isWrittenByUpdates(segment: Uint8Array): boolean {
  return segment.subarray(kindAt, kindAt + kindBytes).every((byte) => byte === 0);
}
