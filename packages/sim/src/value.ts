import { latin1, utf8 } from "@coterie/core";

/** The value that write `number` puts: its number, and a filling that shows what is missing. */
export function valueOf(number: number, bytes: number): Uint8Array {
  const head = `${number}:`;
  return utf8(head + fillingOf(number).repeat(Math.max(0, bytes - head.length)));
}

/** The number of the write that put the value; `NaN` if it is not whole. */
export function numberOf(value: Uint8Array, bytesOf: (number: number) => number): number {
  const text = latin1(value);
  const number = Number(text.slice(0, text.indexOf(":")));
  const expected = latin1(valueOf(number, bytesOf(number)));
  return text === expected ? number : Number.NaN;
}

function fillingOf(number: number): string {
  return String.fromCharCode(97 + (number % 26));
}
