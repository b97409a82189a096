/** Slots of Redis Cluster: what its clients route by. */
export const redisSlots = 16_384;

const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * The slot of a key: CRC16 of its hash tag, or of all of it, modulo 16 384 (Redis Cluster
 * specification, "Key distribution model" and "Hash tags"). The hash tag is what stands between the
 * first `{` and the first `}` after it, unless that is nothing.
 */
export function redisSlotOf(key: Uint8Array): number {
  const open = key.indexOf(openBrace);
  const close = open < 0 ? -1 : key.indexOf(closeBrace, open + 1);
  const hasTag = close > open + 1;
  return crc16(key, hasTag ? open + 1 : 0, hasTag ? close : key.length) % redisSlots;
}

/** CRC-16/XMODEM: polynomial 0x1021, nothing reflected, from 0. */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at += 1) {
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >>> 8) ^ (bytes[at] as number)] as number);
  }
  return crc;
}

const table: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
  return crc & 0xffff;
});
