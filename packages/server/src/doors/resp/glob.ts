const star = 0x2a;
const question = 0x3f;
const open = 0x5b;
const close = 0x5d;
const caret = 0x5e;
const dash = 0x2d;
const backslash = 0x5c;

/**
 * Whether bytes match a pattern of Redis: `*`, `?`, `[a-z]`, `[^a]` and `\` before what is meant
 * as it is. Takes time in the product of both lengths at most: where a star has a second chance,
 * only the last one is tried again.
 */
export function isGlobMatch(pattern: Uint8Array, text: Uint8Array): boolean {
  let at = 0;
  let from = 0;
  /** After the last star, and how far the text was when it was met. */
  let starAt = -1;
  let starFrom = 0;
  while (from < text.length) {
    if (pattern[at] === star) {
      at += 1;
      starAt = at;
      starFrom = from;
      continue;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text[from] as number) : -1;
    if (next >= 0) {
      at = next;
      from += 1;
    } else if (starAt >= 0) {
      starFrom += 1;
      at = starAt;
      from = starFrom;
    } else return false;
  }
  while (pattern[at] === star) at += 1;
  return at >= pattern.length;
}

/** Where the pattern goes on if what stands at `at` matches the byte; -1 if it does not. */
function matchOne(pattern: Uint8Array, at: number, byte: number): number {
  const code = pattern[at] as number;
  if (code === question) return at + 1;
  if (code === open) return matchClass(pattern, at + 1, byte);
  const isEscape = code === backslash && at + 1 < pattern.length;
  const literal = isEscape ? pattern[at + 1] : code;
  return literal === byte ? at + (isEscape ? 2 : 1) : -1;
}

/** A class of bytes; one that is not closed ends with the pattern, as in Redis. */
function matchClass(pattern: Uint8Array, start: number, byte: number): number {
  const isNegated = pattern[start] === caret;
  let at = isNegated ? start + 1 : start;
  let isFound = false;
  while (at < pattern.length && pattern[at] !== close) {
    if (pattern[at] === backslash && at + 1 < pattern.length) at += 1;
    const low = pattern[at] as number;
    if (pattern[at + 1] === dash && at + 2 < pattern.length) {
      const high = pattern[at + 2] as number;
      if (byte >= Math.min(low, high) && byte <= Math.max(low, high)) isFound = true;
      at += 3;
    } else {
      if (low === byte) isFound = true;
      at += 1;
    }
  }
  return isFound === isNegated ? -1 : at + 1;
}
