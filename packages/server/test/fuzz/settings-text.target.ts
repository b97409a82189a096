import { equal, ok } from "node:assert/strict";
import { parseSettingsText } from "../../src/config/settings-text.ts";

const encoder = new TextEncoder();

/** The text of a configuration file: JSON with comments and trailing commas. */
export const seeds: readonly Uint8Array[] = [
  '{ "id": "n1", // here\n "buckets": { "carts": { "n": 3, }, }, }',
  "/* none */ {}",
  '{"__proto__": [1, -2.5e3, true, null, "\\u00e9"]}',
].map((text) => encoder.encode(text));

export const tokens: readonly string[] = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  "//",
  "/*",
  "*/",
  "\n",
];

export function run(input: Uint8Array): void {
  const text = Buffer.from(input).toString("utf8");
  const parsed = parseSettingsText(text);
  const lines = text.split("\n").length;
  if (parsed.ok) {
    ok([...parsed.lines.values()].every((line) => line >= 1 && line <= lines));
    const written = JSON.stringify(parsed.value);
    const again = parseSettingsText(written);
    equal(again.ok && JSON.stringify(again.value), written);
    return;
  }
  ok(parsed.line >= 1 && parsed.line <= lines);
  equal(parsed.message.length > 0, true);
}
