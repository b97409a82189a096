import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exchangeTable, problemsWith } from "../src/anti-entropy/exchange-table.ts";
import { type PairExchange, measurePair } from "../src/anti-entropy/measure-pair.ts";

const nothing: PairExchange = {
  partitions: 64,
  keys: 1000,
  differing: 0,
  roundTrips: 1,
  messages: 2,
  bytes: 200,
  recordBytes: 0,
  ms: 1,
  rowsRead: 0,
  bytesAppended: 0,
  keysExchanged: 0,
  isDone: true,
};
const one: PairExchange = {
  ...nothing,
  differing: 1,
  roundTrips: 6,
  bytes: 4500,
  recordBytes: 404,
  ms: 100,
  rowsRead: 3,
};
const all: PairExchange = { ...one, differing: "all", ms: 1000, bytesAppended: 300 };

describe("the limits of an exchange", () => {
  it.each([
    ["nothing differs", nothing],
    ["one key differs", one],
    ["a hundred differ", { ...one, differing: 100, bytes: 1e9, ms: 1e6 }],
    ["all differ", all],
  ] as const)("are kept where %s", (_, exchange) => {
    expect(problemsWith(exchange, 1000)).toEqual([]);
  });

  it.each([
    ["too many round trips", { ...nothing, roundTrips: 2 }],
    ["too many bytes", { ...nothing, bytes: 201 }],
    ["too many records read", { ...nothing, rowsRead: 1 }],
    ["the copies were not made equal", { ...nothing, isDone: false }],
    ["too many round trips", { ...one, roundTrips: 7 }],
    ["too many bytes beyond the records", { ...one, bytes: 4501 }],
    ["too slow", { ...one, ms: 100.1 }],
    ["too small a share of the disk", { ...all, bytesAppended: 299 }],
  ] as const)("know %s", (problem, exchange) => {
    expect(problemsWith(exchange, 1000)).toEqual([
      `64 partitions, ${exchange.differing} differing: ${problem}`,
    ]);
  });

  it("stand beside what they limit", () => {
    const [header = [], first = [], last = []] = exchangeTable([one, all], 1000);
    const cell = (row: readonly string[], name: string): string | undefined =>
      row[header.indexOf(name)];
    expect(cell(first, "round trips")).toBe("6 (<= 6)");
    expect(cell(first, "beyond records")).toBe("4096 (<= 4096)");
    expect(cell(first, "share of disk")).toBe("-");
    expect(cell(last, "round trips")).toBe("6");
    expect(cell(last, "share of disk")).toBe("0.30 (>= 0.3)");
  });
});

it("two real nodes are compared, and what it costs is counted", async () => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-bench-trees-"));
  try {
    const exchanges = await measurePair({
      directory,
      shape: { partitions: 8, valueBytes: 20 },
      keys: 500,
      differing: [0, 1, "all"],
      onStep: () => undefined,
    });
    const rows = new Map(exchanges.map((each) => [each.differing, each]));
    expect([...rows.keys()]).toEqual([0, 1, "all"]);
    expect(rows.get(0)).toMatchObject({ isDone: true, messages: 2, recordBytes: 0, rowsRead: 0 });
    expect(rows.get(0)?.bytes).toBeGreaterThan(0);
    expect(rows.get(1)).toMatchObject({ isDone: true, keysExchanged: 1 });
    expect(rows.get(1)?.recordBytes).toBeGreaterThan(20);
    expect(rows.get("all")).toMatchObject({ isDone: true, keysExchanged: 500 });
    expect(rows.get("all")?.bytesAppended).toBeGreaterThan(500 * 20);
    // All but the times and the disk is the same wherever it runs.
    const problems = exchanges.flatMap((each) => problemsWith({ ...each, ms: 1 }, 1));
    expect(problems).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);
