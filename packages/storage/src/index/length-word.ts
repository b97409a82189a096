// The word of an index slot that says how long a log entry is, and in its top bit, whether the
// record's clock is wide. No entry is so long that it would need that bit.

const wideBit = 0x8000_0000;

export function lengthWord(length: number, isWide: boolean): number {
  return isWide ? (length | wideBit) >>> 0 : length;
}

export function lengthIn(word: number): number {
  return word & ~wideBit;
}

export function isWideIn(word: number): boolean {
  return word >= wideBit;
}
