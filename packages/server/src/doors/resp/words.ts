import { latin1 } from "@coterie/core";

/** A word as an option: in small letters, one character per byte. */
export function optionOf(word: Uint8Array | undefined): string {
  return word === undefined ? "" : latin1(word).toLowerCase();
}

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** The whole number of 64 bits that a word spells, in its only spelling. */
export function int64Of(word: Uint8Array | undefined): bigint | undefined {
  if (word === undefined || word.length > 20) return undefined;
  const text = latin1(word);
  if (!/^(?:0|-?[1-9][0-9]*)$/u.test(text)) return undefined;
  const value = BigInt(text);
  return isInt64(value) ? value : undefined;
}

/** True if a number fits into 64 bits with a sign. */
export function isInt64(value: bigint): boolean {
  return value >= int64Min && value <= int64Max;
}

/** The whole number that a word spells, if it is exact as a number of JavaScript. */
export function safeIntegerOf(word: Uint8Array | undefined): number | undefined {
  const value = int64Of(word);
  if (value === undefined) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

export const notInteger = "ERR value is not an integer or out of range";
