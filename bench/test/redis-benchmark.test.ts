import { expect, it } from "vitest";
import { parseCsv } from "../src/resp/redis-benchmark.ts";

const titles = ["test", "rps", "avg_latency_ms", "min_latency_ms", "p50_latency_ms"];
const quoted = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(",");
const printed = `${quoted([...titles, "p95_latency_ms", "p99_latency_ms", "max_latency_ms"])}
${quoted(["SET", "21052.63", "2.301", "0.328", "2.255", "3.287", "4.119", "5.247"])}
`;

it("reads what redis-benchmark prints", () => {
  expect(parseCsv(printed)).toEqual({ perSecond: 21_052.63, p50Ms: 2.255, p99Ms: 4.119 });
});

it("does not take silence for a figure", () => {
  expect(() => parseCsv("")).toThrow("redis-benchmark says no rps");
});
