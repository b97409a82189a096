import { equalBytes, latin1, utf8 } from "@coterie/core";

/** The value that write `number` puts: its number, and a filling that shows what is missing. */
export function valueOf(number: number, bytes: number): Uint8Array {
  const head = `${number}:`;
  const filling = String.fromCharCode(97 + (number % 26));
  return utf8(head + filling.repeat(Math.max(0, bytes - head.length)));
}

/** The number of the write that put the value; `NaN` if it is not whole. */
export function numberOf(
  value: Uint8Array,
  expected: (number: number) => Uint8Array | undefined,
): number {
  const number = Number(latin1(value.subarray(0, value.indexOf(colon))));
  const whole = expected(number);
  return whole !== undefined && equalBytes(value, whole) ? number : Number.NaN;
}

const colon = 58;
