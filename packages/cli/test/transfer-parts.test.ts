import { describe, expect, it } from "vitest";
import { Acknowledged, nothingAcknowledged } from "../src/transfer/acknowledged.ts";
import { Flow } from "../src/transfer/flow.ts";
import { formatNdjsonLine, parseNdjsonLine } from "../src/transfer/ndjson.ts";
import { progressText } from "../src/transfer/progress-line.ts";
import { RecordSplitter } from "../src/transfer/record-splitter.ts";
import { csvFields, separatedParser, tsvFields } from "../src/transfer/separated.ts";

function split(text: string, chunkBytes: number, isQuoted = false, bytesMax = 100): string[] {
  const splitter = new RecordSplitter({ isQuoted, bytesMax, startNumber: 0, startOffset: 0 });
  const bytes = Buffer.from(text);
  const records = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    records.push(...splitter.feed(bytes.subarray(at, at + chunkBytes)));
  }
  const last = splitter.finish();
  if (last !== undefined) records.push(last);
  return records.map(
    ({ number, end, bytes: line }) => `${number} ${end} ${line?.toString() ?? "too long"}`,
  );
}

describe("RecordSplitter", () => {
  it.each([1, 2, 3, 7, 100])("finds lines in chunks of %i bytes", (chunkBytes) => {
    expect(split("ab\r\n\ncd\nef", chunkBytes)).toEqual(["1 4 ab", "2 5 ", "3 8 cd", "4 10 ef"]);
  });

  it.each([1, 5, 100])("keeps quoted line breaks in chunks of %i bytes", (chunkBytes) => {
    const records = split('a,"b\nc"\n"d""\n",e\n', chunkBytes, true);
    expect(records).toEqual(['1 8 a,"b\nc"', '2 17 "d""\n",e']);
  });

  it("skips a record that is too long, and goes on after it", () => {
    expect(split("abcdef\ngh\n", 2, false, 4)).toEqual(["1 7 too long", "2 10 gh"]);
  });
});

describe("Acknowledged", () => {
  it("resumes after the finished prefix and remembers what finished beyond it", () => {
    const first = new Acknowledged(nothingAcknowledged);
    const done = [1, 2, 3, 4, 5, 6].map((number) => first.begin(number, number * 10));
    for (const index of [0, 2, 3, 5]) done[index]?.();
    const saved = first.state();
    expect(saved).toEqual({
      number: 1,
      offset: 10,
      ranges: [
        [3, 4],
        [6, 6],
      ],
    });

    const second = new Acknowledged(saved);
    expect([2, 3, 4, 5, 6, 7].filter((number) => second.wasDone(number))).toEqual([3, 4, 6]);
    expect(second.state()).toEqual(saved);
    second.begin(2, 20)();
    expect(second.state()).toMatchObject({ number: 2, offset: 20 });
    expect(second.state().ranges).toEqual(saved.ranges);
  });
});

describe("Flow", () => {
  it("keeps tasks of one key in order and the number of tasks within its bound", async () => {
    const flow = new Flow(2, 1000);
    const log: string[] = [];
    let running = 0;
    const task = (name: string, turns: number) => async (): Promise<void> => {
      running += 1;
      expect(running).toBeLessThanOrEqual(2);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      log.push(name);
      running -= 1;
    };
    await flow.start("a", 1, task("a1", 9));
    await flow.start("a", 1, task("a2", 1));
    await flow.start("b", 1, task("b1", 1));
    await flow.settled();
    expect(log.indexOf("a1")).toBeLessThan(log.indexOf("a2"));
    expect(log.toSorted()).toEqual(["a1", "a2", "b1"]);
  });

  it("gives the first failure to whoever starts the next task", async () => {
    const flow = new Flow(1, 1000);
    await flow.start("a", 1, () => Promise.reject(new Error("first")));
    const next = flow.start("b", 1, () => Promise.resolve());
    await expect(next).rejects.toThrow("first");
  });
});

describe("NDJSON lines", () => {
  it.each([
    ['{"key":"k","value":"v","contentType":"text/plain; charset=utf-8"}'],
    ['{"key":"﻿k","value":"a\\nb","contentType":"x/y"}'],
    ['{"key64":"_w","value64":"/w==","contentType":"application/octet-stream"}'],
    [
      '{"key":"k","siblings":[{"value":"a","contentType":"x"},' +
        '{"value64":"/w==","contentType":"x"}]}',
    ],
    ['{"key":"k","deleted":true}'],
    ['{"key":"k","value":"v","contentType":"x","expiresAt":"2101-02-28T12:00:00.000Z"}'],
  ])("%s is written as it was read", (line) => {
    const parsed = parseNdjsonLine(Buffer.from(line), undefined);
    expect(parsed.ok ? formatNdjsonLine(parsed.entry) : parsed.reason).toBe(`${line}\n`);
  });

  it("keeps a whole line as the value when a key field is given", () => {
    const line = Buffer.from('{ "id": 7, "x": [1] }');
    expect(parseNdjsonLine(line, "id")).toEqual({
      ok: true,
      entry: { key: Buffer.from("7"), values: [{ value: line, contentType: "application/json" }] },
    });
  });

  it.each([
    ["{", "not JSON"],
    ["[]", "not a JSON object"],
    ['{"value":"v"}', "key"],
    ['{"key":"k"}', "value"],
    ['{"key":"","value":"v"}', "at least one byte"],
    ['{"key":"k","key64":"aw","value":"v"}', "both"],
    ['{"key64":"a","value":"v"}', "not base64"],
    ['{"key":"k","value":1}', "not a text"],
    ['{"key":"k","siblings":1}', "not a list"],
    ['{"key":"k","value":"v","contentType":"tēxt"}', "ASCII"],
  ])("%s is refused: %s", (line, reason) => {
    const parsed = parseNdjsonLine(Buffer.from(line), undefined);
    expect(parsed.ok ? "accepted" : parsed.reason).toContain(reason);
  });
});

describe("CSV and TSV", () => {
  it.each([
    ["a,b", ["a", "b"]],
    ['"a,b","c""d",', ["a,b", 'c"d', ""]],
    ["", [""]],
    ['"open', undefined],
    ['"a"b', undefined],
  ])("%s has the fields %j", (record, fields) => {
    expect(csvFields(record)).toEqual(fields);
  });

  it("reads TSV escapes", () => {
    expect(tsvFields("a\\tb\tc\\\\n\td\\x")).toEqual(["a\tb", "c\\n", "d\\x"]);
  });

  it("keeps a row as a JSON object when a key field is given", () => {
    const parser = separatedParser(Buffer.from("id,name"), "csv", "id");
    const parsed = parser.ok && parser.parse(Buffer.from('7,"a ""b"""'));
    expect(parsed).toMatchObject({ ok: true, entry: { key: Buffer.from("7") } });
    const value = parsed !== false && parsed.ok ? parsed.entry.values[0]?.value.toString() : "";
    expect(JSON.parse(value ?? "")).toEqual({ id: "7", name: 'a "b"' });
  });

  it.each([["name"], ["key"], [""]])("refuses the header %j", (header) => {
    expect(separatedParser(Buffer.from(header), "csv", undefined).ok).toBe(false);
  });
});

describe("progressText", () => {
  it("tells the share, the rate and the time left", () => {
    const advance = { count: 500, bytes: 600, bytesTotal: 1000, bytesBefore: 100 };
    expect(progressText("lines", advance, 5000)).toBe("60 %  500 lines  100/s  4.0 s left");
  });
});
