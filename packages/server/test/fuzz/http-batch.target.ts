import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { parseBatchLine } from "../../src/doors/http/batch/batch-operation.ts";
import { LineSplitter } from "../../src/doors/http/batch/line-splitter.ts";

const encoder = new TextEncoder();
const valueBytesMax = 64;
const lineBytesMax = 200;

/** The body of a batch: lines of JSON, cut anywhere; the first byte says where. */
export const seeds: readonly Uint8Array[] = [
  '!{"op":"get","key":"k","r":2,"pr":1,"timeout":500,"siblings":"all","strict":true}',
  '\u0004{"op":"put","key64":"AAEC","value64":"//79","contentType":"image/png"}\n{"op":"get"}\n',
  '+{"op":"put","bucket":"b","key":"k","value":"v","ifAbsent":true,"returnBody":true}',
  '0{"op":"delete","key":"k","context":"AAAA","writeId":"AAECAwQFBgcICQoLDA0ODw","w":2}\n',
].map((text) => encoder.encode(text));

export const tokens: readonly string[] = [
  '"op":',
  '"key":',
  '"key64":',
  '"value":',
  '"value64":',
  '"__proto__":',
  '"\\ud800"',
  "1e9",
  "-1",
  "null",
  "==",
  "\n",
];

export function run(input: Uint8Array): void {
  const body = input.subarray(1);
  const whole = linesOf(body, body.length);
  deepStrictEqual(linesOf(body, input[0] ?? 0), whole);
  for (const line of whole) if (line !== "too-long") judge(line);
}

function linesOf(body: Uint8Array, cut: number): readonly (Uint8Array | "too-long")[] {
  const splitter = new LineSplitter(lineBytesMax);
  const lines: (Uint8Array | "too-long")[] = [];
  for (const chunk of [body.subarray(0, cut), body.subarray(cut)]) {
    for (const line of splitter.feed(chunk)) {
      lines.push(line === "too-long" ? line : line.slice());
      if (line === "too-long") return lines;
    }
  }
  return [...lines, splitter.rest()];
}

function judge(line: Uint8Array): void {
  ok(line.length <= lineBytesMax);
  const parsed = parseBatchLine(line, valueBytesMax);
  if (!parsed.ok) {
    ok(["bad-request", "not-yet", "too-large"].includes(parsed.failure.code));
    return;
  }
  const { operation } = parsed;
  ok(operation.key.key.length > 0);
  const { allSiblings, strict, ...counts } = operation.options;
  equal(typeof allSiblings, "boolean");
  ok(strict === undefined || typeof strict === "boolean");
  for (const option of Object.values(counts)) {
    ok(option === undefined || Number.isSafeInteger(option));
  }
  if (operation.op === "put") ok(operation.input.value.length <= valueBytesMax);
}
