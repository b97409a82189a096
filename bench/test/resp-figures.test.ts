import { expect, it } from "vitest";
import { parseResp } from "../src/drivers/resp-answers.ts";
import { type Found, aimOf, figuresOf } from "../src/resp/figures.ts";
import { batchOf } from "../src/resp/own-load.ts";

const found = (server: string, perSecond: number, of: Partial<Found> = {}): Found => ({
  server,
  command: "set",
  asked: "redis-benchmark",
  pipeline: 1,
  perSecond,
  p50Ms: 1,
  p99Ms: 2,
  cpuMicros: 10,
  ...of,
});

it("says what Coterie reaches of each server by medians of the same load", () => {
  const figures = figuresOf([
    found("redis in memory", 100),
    found("redis synced", 20),
    found("coterie", 10, { cpuMicros: 30 }),
    found("redis in memory", 300),
    found("redis synced", 30),
    found("coterie", 12, { cpuMicros: 50 }),
    found("redis in memory", 200),
    found("redis synced", 25),
    found("coterie", 50, { cpuMicros: 40 }),
    found("redis in memory", 50, { command: "get", cpuMicros: 0 }),
    found("coterie", 25, { command: "get" }),
  ]);
  const shown = figures.map(({ command, server, perSecond, share, cpuShare }) => [
    command,
    server,
    perSecond,
    share,
    cpuShare,
  ]);
  expect(shown).toEqual([
    ["set", "redis in memory", 200, 0.06, 4],
    ["set", "redis synced", 25, 0.48, 4],
    ["set", "coterie", 12, undefined, undefined],
    ["get", "redis in memory", 50, 0.5, undefined],
    ["get", "coterie", 25, undefined, undefined],
  ]);
});

it.each([
  ["get", 1, 0.4],
  ["set", 1, 0.3],
  ["get", 16, 0.25],
  ["set", 16, 0.25],
] as const)("aims of %s at pipeline %i at %d", (command, pipeline, aim) => {
  expect(aimOf({ command, pipeline })).toBe(aim);
});

it("ends a batch with one WAIT, where a replica is waited for", () => {
  let key = 0;
  const next = (): number => (key += 1);
  const batch = batchOf({ pipeline: 2, valueBytes: 3, isWaiting: true }, next);
  const commands = parseResp(batch, 3)?.values.map(({ items }) => items.map(({ text }) => text));
  expect(commands).toEqual([
    ["SET", "key:000000000001", "xxx"],
    ["SET", "key:000000000002", "xxx"],
    ["WAIT", "1", "1000"],
  ]);
  const plain = batchOf({ pipeline: 2, valueBytes: 3, isWaiting: false }, next);
  expect([parseResp(plain, 2)?.length, parseResp(plain, 3)]).toEqual([plain.length, undefined]);
});
