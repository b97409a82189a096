/** A bug behind a magic number, a true length, a word, and two bytes that fit each other. */
export const seeds: readonly Uint8Array[] = [new Uint8Array(8)];

export function run(input: Uint8Array): void {
  if (input.length < 12) return;
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  if (view.getUint32(0, true) !== 0x434f_5445) return;
  if (view.getUint16(4) !== input.length - 6) return;
  const text = String.fromCharCode(...input.subarray(6, 10));
  if (text !== "ring") return;
  const [left = 0, right = 0] = input.subarray(10, 12);
  if (left > 200 && right === left - 100) throw new RangeError("the planted bug");
}
