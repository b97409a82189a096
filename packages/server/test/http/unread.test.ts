import { setTimeout as sleep } from "node:timers/promises";
import type { CoterieNode } from "@coterie/cluster";
import { expect, it } from "vitest";
import { openDoor } from "./open-door.ts";
import { RawClient, statusOf } from "./raw-client.ts";

const patience = {
  headersMs: 10_000,
  requestMs: 10_000,
  idleMs: 10_000,
  silenceMs: 60_000,
  takeMs: 500,
  checkMs: 50,
};

const get = "GET /v1/buckets/default/keys/large HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** Stands in for a value that no socket's memory can hold. */
function serveLarge(node: CoterieNode, bytes: number): { reads: number } {
  const counted = { reads: 0 };
  const value = new Uint8Array(bytes);
  node.get = () => {
    counted.reads += 1;
    const sibling = { value, contentType: "", dots: [], writtenAt: { wallMs: 0, logical: 0 } };
    return Promise.resolve({
      ok: true,
      siblings: [sibling as never],
      context: undefined,
      acks: { primaries: 1, fallbacks: 0, required: 1 },
    });
  };
  return counted;
}

const megabyte = 1024 * 1024;

it("bounds answers that nobody reads: further ones are refused, and all end in time", async () => {
  const { door, node } = await openDoor({ patience, unreadBytesMax: 100 * megabyte });
  serveLarge(node, 30 * megabyte);
  const clients = Array.from({ length: 20 }, () => new RawClient(door.address));
  for (const client of clients) client.socket.pause().on("readable", () => undefined);
  for (const client of clients) client.send(get);
  await sleep(200);
  // Three times thirty fit; the others are told so.
  const other = new RawClient(door.address);
  other.send(get);
  const refused = await other.until((text) => text.includes("}\n"));
  expect(statusOf(refused)).toBe(429);
  expect(refused).toContain('"code":"overloaded"');
  expect(refused).toContain("Retry-After: 1");
  other.close();
  // Who takes nothing is cut, and what it held is free again.
  for (;;) {
    const next = new RawClient(door.address);
    next.send(get);
    const status = statusOf(await next.until((text) => text.includes("\r\n\r\n")));
    next.close();
    if (status === 200) break;
    await sleep(50);
  }
  for (const client of clients) client.close();
  await door.close(0);
});

it("a slow client that goes on reading gets its answer whole", async () => {
  const { door, node } = await openDoor({ patience, unreadBytesMax: 100 * megabyte });
  serveLarge(node, 20 * megabyte);
  const client = new RawClient(door.address);
  let length = 0;
  client.socket.removeAllListeners("data");
  client.socket.on("data", (part: string) => {
    length += part.length;
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 1);
  });
  client.send(get);
  while (length < 20 * megabyte) await sleep(50);
  expect(client.isClosed).toBe(false);
  client.close();
  await door.close(0);
});

it("requests sent ahead are not carried out for one who does not read", async () => {
  const { door, node } = await openDoor({ patience: { ...patience, takeMs: 60_000 } });
  const counted = serveLarge(node, 100_000);
  const client = new RawClient(door.address);
  client.socket.pause();
  client.send(get.repeat(20_000));
  let reads = -1;
  while (reads !== counted.reads) {
    ({ reads } = counted);
    await sleep(300);
  }
  // As many as sockets hold, a few megabytes.
  expect(reads).toBeGreaterThan(0);
  expect(reads).toBeLessThan(500);
  client.close();
  await client.untilClosed();
  await door.close(0);
  expect(counted.reads).toBeLessThan(reads + 2);
});

it("requests sent ahead are all answered, in order, to one who reads", async () => {
  const { door } = await openDoor();
  const client = new RawClient(door.address);
  const paths = Array.from({ length: 5000 }, (_, at) => `/v1/buckets/b${at}`);
  client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(""));
  await client.until((text) => text.includes("there is no bucket b4999"));
  const answered = [...client.received.matchAll(/there is no bucket b(\d+)/gu)];
  expect(answered.map(([, at]) => Number(at))).toEqual(paths.map((_, at) => at));
  client.close();
  await door.close(0);
});

it("a thousand idle connections cost next to nothing, and others are served", async () => {
  const { door } = await openDoor({ connectionsMax: 2000 });
  const before = process.memoryUsage();
  const clients = Array.from({ length: 1000 }, () => new RawClient(door.address));
  for (const client of clients.slice(0, 500)) client.send("GET /livez HTTP/1.1\r\nHost:");
  const live = new RawClient(door.address);
  live.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await live.until((text) => text.endsWith("ok\n"));
  const { external, heapUsed } = process.memoryUsage();
  // Both ends of each are in this process.
  expect(heapUsed + external - before.heapUsed - before.external).toBeLessThan(64 * megabyte);
  for (const client of [live, ...clients]) client.close();
  await door.close(0);
});
