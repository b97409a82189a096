import { describe, expect, it } from "vitest";
import { parseAnswer } from "../src/http-load.ts";
import { Latencies } from "../src/latencies.ts";
import { cpuMicros, residentBytes } from "../src/process-usage.ts";
import { growth, readMetrics } from "../src/server-metrics.ts";
import { fillRequests, getRequests, keyCount } from "../src/workloads.ts";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

describe("an answer", () => {
  it.each([
    ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200],
    ["without a body", "HTTP/1.1 204 No Content\r\nCoterie-Siblings: 1\r\n\r\n", 204],
    ["in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200],
  ])("%s is complete with its last byte, not before", (_, text, status) => {
    const bytes = Buffer.from(text);
    expect(parseAnswer(bytes)).toEqual({ status, length: bytes.length });
    for (let end = 0; end < bytes.length; end += 1) {
      expect(parseAnswer(bytes.subarray(0, end))).toBeUndefined();
    }
  });
});

it("finds percentiles, also beyond the first thousand", () => {
  const latencies = new Latencies();
  for (let ms = 5000; ms >= 1; ms -= 1) latencies.add(ms);
  expect(latencies.percentiles([0.5, 0.99])).toEqual([2500, 4950]);
});

it("sums a counter over labels and nodes", async () => {
  let page = "# HELP a_total x\na_total 1\n";
  const server = createServer((_, response) => response.end(page));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const door = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const before = await readMetrics([door, door]);
  page = 'a_total{to="n1"} 5\na_total{to="n2"} 1.5\n';
  const after = await readMetrics([door, door]);
  server.close();
  expect(growth(before, after, "a_total")).toBe(11);
});

it("gets only what it filled, each key in turn", () => {
  const next = getRequests();
  const fill = fillRequests();
  const keyIn = (request: Buffer): string => request.toString().split(" ")[1] ?? "";
  const filled = new Set(Array.from({ length: keyCount }, () => keyIn(fill())));
  const read = new Set(Array.from({ length: keyCount }, () => keyIn(next())));
  expect(read).toEqual(filled);
});

it("reads this process's CPU time and memory", () => {
  expect(cpuMicros(process.pid)).toBeGreaterThan(0);
  expect(residentBytes(process.pid)).toBeGreaterThan(2 ** 20);
});
