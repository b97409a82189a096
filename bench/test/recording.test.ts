import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAnswer } from "../src/drivers/http-answer.ts";
import { mergeResults } from "../src/generator/generators.ts";
import {
  histogramText,
  mergeHistograms,
  newHistogram,
  percentilesOf,
  recordMs,
} from "../src/generator/histogram.ts";
import { runClosedLoop, runOpenLoop } from "../src/generator/loops.ts";
import type { OnEnd } from "../src/generator/operations.ts";
import { cpuMicros, residentBytes } from "../src/measure/process-usage.ts";
import { growth, readMetrics } from "../src/measure/server-metrics.ts";

describe("a histogram", () => {
  it("finds every percentile to three digits, also after a journey as text", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1 }), (micros) => {
        const halves = [newHistogram(), newHistogram()] as const;
        for (const [at, value] of micros.entries()) {
          recordMs(halves[at % 2 === 0 ? 0 : 1], value / 1000);
        }
        const merged = mergeHistograms(halves.map(histogramText));
        expect(merged.totalCount).toBe(micros.length);
        const sorted = micros.toSorted((left, right) => left - right);
        const exact = (share: number): number =>
          (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN) / 1000;
        const found = percentilesOf(merged);
        for (const [value, share] of [
          [found.p50, 0.5],
          [found.p99, 0.99],
          [found.max, 1],
        ] as const) {
          expect(Math.abs(value - exact(share))).toBeLessThanOrEqual(exact(share) * 0.002);
        }
      }),
    );
  });

  it("keeps what is longer than it can tell, as its longest", () => {
    const histogram = newHistogram();
    recordMs(histogram, 1e9);
    expect(percentilesOf(histogram).max).toBeGreaterThan(299_000);
  });
});

describe("a loop", () => {
  /** A store that answers at once, but for one stall. */
  function stallingStore(stallAt: number, stallMs: number): (end: OnEnd) => void {
    const waiting: OnEnd[] = [];
    let begun = 0;
    let isStalled = false;
    return (end) => {
      begun += 1;
      if (begun === stallAt) {
        isStalled = true;
        setTimeout(() => {
          isStalled = false;
          for (const each of waiting.splice(0)) each(undefined);
        }, stallMs);
      }
      if (isStalled) waiting.push(end);
      else setImmediate(() => end(undefined));
    };
  }

  it("that is open shows a stall in the latencies of all that were due meanwhile", async () => {
    const begin = stallingStore(100, 400);
    const { recorder } = await runOpenLoop({ begin, seconds: 1 }, 500);
    const { histogram, operations } = recorder.summary();
    expect(operations).toBe(500);
    const latencies = mergeHistograms([histogram]);
    // 200 of 500 were due during the stall, evenly: a quarter of all waited more than 150 ms.
    expect(latencies.getValueAtPercentile(75) / 1000).toBeGreaterThan(100);
    expect(percentilesOf(latencies).p99).toBeGreaterThan(350);
  });

  it("that is open counts from when an operation was due, not from when it was begun", async () => {
    const begin = (end: OnEnd): void => {
      // The generator itself is held up, so that what follows begins late.
      const until = performance.now() + 20;
      while (performance.now() < until);
      end(undefined);
    };
    const { recorder } = await runOpenLoop({ begin, seconds: 0.2 }, 100);
    const { histogram, lateness } = recorder.summary();
    expect(percentilesOf(mergeHistograms([histogram])).max).toBeGreaterThan(150);
    expect(percentilesOf(mergeHistograms([lateness])).max).toBeGreaterThan(150);
  });

  it("that is closed never has more under way than it may, and counts failures", async () => {
    let underWay = 0;
    let most = 0;
    let begun = 0;
    const begin = (end: OnEnd): void => {
      underWay += 1;
      begun += 1;
      most = Math.max(most, underWay);
      const error = begun % 10 === 0 ? "odd" : undefined;
      setImmediate(() => {
        underWay -= 1;
        end(error);
      });
    };
    const { recorder } = await runClosedLoop({ begin, seconds: 60, operationsMax: 1000 }, 7);
    expect(most).toBe(7);
    const { operations, errors, tenths } = recorder.summary();
    expect(operations).toBe(1000);
    expect(errors).toEqual({ odd: 100 });
    expect(tenths.reduce((sum, count) => sum + count)).toBe(900);
  });
});

it("adds up what several generators saw", () => {
  const histogram = newHistogram();
  recordMs(histogram, 5);
  const one = {
    operations: 10,
    seconds: 2,
    histogram: histogramText(histogram),
    lateness: "",
    errors: { timeout: 1 },
    tenths: [4, 6],
    writes: 3,
    writtenBytes: 300,
    contextReads: 1,
    cpuMicros: 50,
    taken: 110,
  };
  const other = { ...one, seconds: 3, errors: { timeout: 2, "404": 1 }, tenths: [1], taken: 111 };
  const merged = mergeResults([one, other]);
  expect(merged).toMatchObject({
    operations: 20,
    seconds: 3,
    errors: { timeout: 3, "404": 1 },
    tenths: [5, 6],
    writtenBytes: 600,
    taken: 111,
  });
  expect(mergeHistograms([merged.histogram]).totalCount).toBe(2);
});

describe("an answer", () => {
  it.each([
    ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, 2],
    ["without a body", "HTTP/1.1 204 No Content\r\nCoterie-Siblings: 1\r\n\r\n", 204, 0],
    [
      "in chunks",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
      200,
      3,
    ],
  ])("%s is complete with its last byte, not before", (_, text, status, bodyBytes) => {
    const bytes = Buffer.from(text);
    expect(parseAnswer(bytes)).toMatchObject({ status, bodyBytes, length: bytes.length });
    for (let end = 0; end < bytes.length; end += 1) {
      expect(parseAnswer(bytes.subarray(0, end))).toBeUndefined();
    }
  });
});

it("sums a counter over labels and nodes, and finds the largest", async () => {
  let page = "# HELP a_total x\na_total 1\n";
  const server = createServer((_, response) => response.end(page));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const door = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const before = await readMetrics([door, door]);
  page = 'a_total{to="n1"} 5\na_total{to="n2"} 1.5\n';
  const after = await readMetrics([door, door]);
  server.close();
  expect(growth(before, after, "a_total")).toBe(11);
  expect(after.largest.get("a_total")).toBe(5);
  expect(growth(before, after, "b_total")).toBeUndefined();
});

it("reads this process's CPU time and memory", () => {
  expect(cpuMicros(process.pid)).toBeGreaterThan(0);
  expect(residentBytes(process.pid)).toBeGreaterThan(2 ** 20);
});
