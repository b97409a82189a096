import { deepStrictEqual, ok } from "node:assert/strict";
import { RecordSplitter, type SplitRecord } from "../../src/transfer/record-splitter.ts";

const encoder = new TextEncoder();
const bytesMax = 64;

/** A file to import, cut anywhere: the first two bytes say where. */
export const seeds: readonly Uint8Array[] = [
  "\u0003\u0005a\nbb\r\nccc\n",
  '\u0001\u0009"a\nb",c\n"d""e"\n',
  `\u0007\u0007${"long ".repeat(30)}\nx`,
].map((text) => encoder.encode(text));

export const tokens: readonly string[] = ["\n", "\r\n", '"', '""'];

export function run(input: Uint8Array): void {
  const file = Buffer.from(input.subarray(2));
  for (const isQuoted of [false, true]) {
    const whole = split(file, isQuoted, []);
    deepStrictEqual(split(file, isQuoted, [...input.subarray(0, 2)]), whole);
    ok(whole.every(({ bytes }) => (bytes?.length ?? 0) <= bytesMax));
    ok((whole.at(-1)?.end ?? 0) <= file.length);
  }
}

function split(file: Buffer, isQuoted: boolean, cuts: readonly number[]): readonly SplitRecord[] {
  const splitter = new RecordSplitter({ isQuoted, bytesMax, startNumber: 0, startOffset: 0 });
  const records: SplitRecord[] = [];
  let at = 0;
  for (const cut of cuts.map((each) => Math.min(each, file.length)).toSorted((a, b) => a - b)) {
    records.push(...splitter.feed(file.subarray(at, cut)));
    at = cut;
  }
  records.push(...splitter.feed(file.subarray(at)));
  const last = splitter.finish();
  return last === undefined ? records : [...records, last];
}
