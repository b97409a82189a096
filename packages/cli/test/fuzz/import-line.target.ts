import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { fromBase64, keySegment, keyLabel } from "../../src/http/keys.ts";
import type { Entry, ParsedEntry } from "../../src/transfer/entry.ts";
import { formatNdjsonLine, parseNdjsonLine } from "../../src/transfer/ndjson.ts";
import { csvFields, separatedParser, tsvFields } from "../../src/transfer/separated.ts";

const encoder = new TextEncoder();

/** One line of a file to import, in each of its formats. */
export const seeds: readonly Uint8Array[] = [
  '{"key":"k","value":"v","contentType":"text/plain"}',
  '{"key64":"AAEC","value64":"//79"}',
  '{"key":"k","siblings":[{"value":"a"},{"value64":"AA=="}]}',
  '{"key":"k","deleted":true}',
  '{"id":1,"__proto__":{"key":"k"}}',
  'key,value,contentType\n"a ""b""",c,',
  "key64\tvalue\nAAEC\ta\\tb",
].map((text) => encoder.encode(text));

export const tokens: readonly string[] = ['"', '""', ",", "\t", "\\t", "key", "value64", "\uFEFF"];

export function run(input: Uint8Array): void {
  const line = Buffer.from(input);
  for (const keyField of [undefined, "id", "__proto__"]) judge(parseNdjsonLine(line, keyField));
  const text = line.toString("latin1");
  const fields = csvFields(text);
  if (fields !== undefined) {
    const written = fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(",");
    deepStrictEqual(csvFields(written), fields);
  }
  ok(tsvFields(text).length <= text.length + 1);
  const header = line.subarray(0, Math.max(0, line.indexOf(10)));
  const record = line.subarray(header.length + 1);
  for (const format of ["csv", "tsv"] as const) {
    for (const keyField of [undefined, "id", "__proto__"]) {
      const parser = separatedParser(header, format, keyField);
      if (parser.ok) judge(parser.parse(record));
    }
  }
  const decoded = fromBase64(text);
  if (decoded !== undefined) ok(decoded.length <= text.length);
  equal(decodeURIComponent(keySegment(encoder.encode(text))), text);
  equal(/\p{Cc}/u.test(keyLabel(line)), false);
}

/** What is an entry is the same entry after it was written and read. */
function judge(parsed: ParsedEntry): void {
  if (!parsed.ok) return;
  const again = parseNdjsonLine(Buffer.from(formatNdjsonLine(parsed.entry).trimEnd()), undefined);
  ok(again.ok, "an entry that was written can be read");
  deepStrictEqual(plain(again.entry), plain(parsed.entry));
}

function plain({ key, values }: Entry): unknown {
  const told = values.map(({ value, contentType }) => `${value.toString("hex")} ${contentType}`);
  return { key: key.toString("hex"), values: told.toSorted() };
}
