/** 64 bits as two unsigned 32-bit halves: JavaScript has no cheap 64-bit integer. */
export interface Digest {
  readonly high: number;
  readonly low: number;
}

/**
 * A fast 64-bit digest of `bytes[start, end)`: two lanes of MurmurHash3's 32-bit mixing (Appleby)
 * with different seeds. It tells replicas' copies apart; it is not a defence against an attacker,
 * and unlike a CRC it can be combined by XOR, as Merkle leaves are.
 */
export function digest64(bytes: Uint8Array, start: number = 0, end: number = bytes.length): Digest {
  let high = 0x9747b28c;
  let low = 0x3c6ef372;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    high = mix(high, word, 0xcc9e2d51, 0x1b873593);
    low = mix(low, word, 0x85ebca6b, 0xc2b2ae35);
  }
  let tail = 0;
  for (let shift = 0; at < end; at += 1, shift += 8) tail |= (bytes[at] as number) << shift;
  high = mix(high, tail, 0xcc9e2d51, 0x1b873593);
  low = mix(low, tail, 0x85ebca6b, 0xc2b2ae35);
  return { high: finish(high ^ (end - start)), low: finish(low ^ (end - start) ^ high) };
}

function mix(state: number, word: number, first: number, second: number): number {
  let k = Math.imul(word, first);
  k = (k << 15) | (k >>> 17);
  const mixed = state ^ Math.imul(k, second);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(state: number): number {
  let hash = state ^ (state >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
