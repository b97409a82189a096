const two32 = 2 ** 32;
/** The FNV prime of 64 bits is 2^40 + this. */
const primeLow = 0x1b3;

/** FNV-1a of 64 bits over the eight bytes of a whole number, as two halves. */
export function fnv64(value: number): { readonly high: number; readonly low: number } {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  let rest = value;
  for (let byte = 0; byte < 8; byte += 1) {
    low = (low ^ (rest % 256)) >>> 0;
    rest = Math.floor(rest / 256);
    const product = low * primeLow;
    const carry = Math.floor(product / two32);
    high = (Math.imul(high, primeLow) + carry + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return { high, low };
}

/** The hash as YCSB takes it to a bucket: the absolute value of a signed number, modulo `count`. */
export function fnvBucket(value: number, count: number): number {
  let { high, low } = fnv64(value);
  if (high >= 2 ** 31) {
    low = -low >>> 0;
    high = (~high + (low === 0 ? 1 : 0)) >>> 0;
  }
  return ((((high % count) * (two32 % count)) % count) + (low % count)) % count;
}

/** Sixteen hexadecimal digits that spread consecutive numbers over all keys. */
export function fnvText(value: number): string {
  const { high, low } = fnv64(value);
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
