import { hex, latin1 } from "./text.ts";

// Records name the same few actors and buckets over and over. A text that was made before is found
// again by its bytes: nothing to allocate, and equal texts are one string, compared at a glance.
// What is seldom named again is overwritten, so memory is bounded.

/** A power of two. */
const slots = 1024;
/** What is longer is no name, and made anew each time. */
const nameBytesMax = 64;

const actorHighs = new Uint32Array(slots);
const actorLows = new Uint32Array(slots);
const actorTexts: (string | undefined)[] = Array.from({ length: slots }, () => undefined);
const names: string[] = Array.from({ length: slots }, () => "");

/** The eight bytes at `at` as lower-case hex. */
export function internedHexOfEight(bytes: Uint8Array, at: number): string {
  const high = wordAt(bytes, at);
  const low = wordAt(bytes, at + 4);
  const slot = mixed(high ^ Math.imul(low, 0x9e3779b1)) & (slots - 1);
  const known = actorTexts[slot];
  if (known !== undefined && actorHighs[slot] === high && actorLows[slot] === low) return known;
  const text = hex(bytes, at, at + 8);
  actorHighs[slot] = high;
  actorLows[slot] = low;
  actorTexts[slot] = text;
  return text;
}

/** `bytes[start, end)`, one character each. */
export function internedLatin1(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > nameBytesMax) return latin1(bytes, start, end);
  let hash = length;
  for (let at = start; at < end; at += 1) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  }
  const slot = mixed(hash) & (slots - 1);
  const known = names[slot] as string;
  if (isLatin1Of(known, bytes, start, end)) return known;
  const text = latin1(bytes, start, end);
  names[slot] = text;
  return text;
}

/** True if `text` is `bytes[start, end)`, one character each. */
export function isLatin1Of(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) !== bytes[start + at]) return false;
  }
  return true;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  return (low | (high << 16)) >>> 0;
}

/** Has the low bits depend on the high ones. */
function mixed(hash: number): number {
  return hash ^ (hash >>> 15);
}
