import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import KeyvRedis, { Keyv } from "@keyv/redis";
import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite";
import { createCache } from "cache-manager";
import { Redis } from "ioredis";
import { RateLimiterRedisNonAtomic, type RateLimiterRes } from "rate-limiter-flexible";
import { createClient } from "redis";
import { createStorage } from "unstorage";
import redisDriver from "unstorage/drivers/redis";
import * as vitest from "vitest";
import { RealCluster } from "../src/real-cluster.ts";
import { runProgram } from "../src/redis/run-program.ts";

const { afterAll, beforeAll, describe, expect, it } = vitest;
const root = fileURLToPath(new URL("../..", import.meta.url));

let cluster: RealCluster;
let port: number;
let url: string;

beforeAll(async () => {
  cluster = await RealCluster.start();
  port = Number(cluster.endpoints[0]?.resp.split(":")[1]);
  url = `redis://127.0.0.1:${port}`;
});
afterAll(() => cluster.stop());

describe("@keyv/redis passes Keyv's own suite", () => {
  const stores: KeyvRedis<unknown>[] = [];
  const store = (): KeyvRedis<unknown> => {
    const made = new KeyvRedis<unknown>(url);
    stores.push(made);
    return made;
  };
  afterAll(async () => {
    for (const each of stores) await each.disconnect(true);
  });
  keyvTestSuite(vitest, Keyv, store);
  keyvIteratorTests(vitest, Keyv, store);
});

it("connect-redis passes its own tests", async () => {
  const directory = join(root, "tmp", `connect-redis-${process.pid}`);
  const origin = fileURLToPath(new URL("..", import.meta.resolve("connect-redis")));
  try {
    mkdirSync(join(directory, "testdata"), { recursive: true });
    for (const name of ["index.ts", "index_test.ts"]) {
      cpSync(join(origin, name), join(directory, name));
    }
    // It would start a Redis of its own; the package leaves that file out.
    writeFileSync(
      join(directory, "testdata/server.ts"),
      `export const port = "${port}";
export const connect = async (): Promise<void> => {};
export const disconnect = async (): Promise<void> => {};
`,
    );
    const config = join(directory, "vitest.config.ts");
    // A thousand sessions, one after the other, each on the disks of two nodes.
    const chosen = { include: ["index_test.ts"], testTimeout: 60_000 };
    writeFileSync(config, `export default { test: ${JSON.stringify(chosen)} };\n`);
    const vitestBin = join(root, "node_modules/vitest/vitest.mjs");
    const words = [process.execPath, vitestBin, "run", "--root", directory, "--config", config];
    const { code, output } = await runProgram(words, {
      cwd: directory,
      secondsMax: 90,
      environment: { NO_COLOR: "1" },
    });
    expect([code, output]).toEqual([0, expect.any(String)]);
    expect(output).toContain("4 passed");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it("cache-manager keeps, wraps and forgets", async () => {
  const adapter = new KeyvRedis<unknown>(url, { namespace: "cache" });
  const cache = createCache({ stores: [new Keyv({ store: adapter })] });
  try {
    await cache.set("user", { name: "Ada" });
    expect(await cache.get("user")).toEqual({ name: "Ada" });
    await cache.mset([
      { key: "a", value: 1 },
      { key: "b", value: 2, ttl: 60_000 },
    ]);
    expect(await cache.mget(["a", "b", "c"])).toEqual([1, 2, undefined]);
    let calls = 0;
    const costly = (): Promise<number> => Promise.resolve((calls += 1));
    expect(await cache.wrap("sum", costly, 60_000)).toBe(1);
    expect(await cache.wrap("sum", costly, 60_000)).toBe(1);
    expect(calls).toBe(1);
    expect(await cache.ttl("b")).toBeGreaterThan(Date.now());
    await cache.set("soon", "gone", 30);
    await expect.poll(() => cache.get("soon"), { timeout: 10_000 }).toBeUndefined();
    expect(await cache.del("a")).toBe(true);
    expect(await cache.mdel(["b", "sum"])).toBe(true);
    expect(await cache.mget(["a", "b", "sum"])).toEqual([undefined, undefined, undefined]);
    await cache.set("last", 1);
    await cache.clear();
    expect(await cache.get("last")).toBeUndefined();
  } finally {
    await cache.disconnect();
  }
});

it("unstorage's redis driver stores items below its base", async () => {
  const storage = createStorage({ driver: redisDriver({ base: "app:", host: "127.0.0.1", port }) });
  try {
    await storage.setItem("users:1", { name: "Ada" });
    await storage.setItem("users:2", "Grace");
    await storage.setItem("other", 3, { ttl: 60 });
    await storage.setItemRaw("raw", "bytes");
    expect(await storage.getItem("users:1")).toEqual({ name: "Ada" });
    expect(await storage.hasItem("users:2")).toBe(true);
    expect((await storage.getKeys("users")).toSorted()).toEqual(["users:1", "users:2"]);
    expect((await storage.getKeys()).toSorted()).toEqual(["other", "raw", "users:1", "users:2"]);
    const items = await storage.getItems(["users:1", "users:3"]);
    expect(items.map(({ value }) => value)).toEqual([{ name: "Ada" }, null]);
    await storage.removeItem("users:1");
    expect(await storage.getItem("users:1")).toBeNull();
    const beside = new Redis(port);
    expect(await beside.ttl("app:other")).toBeGreaterThan(50);
    beside.disconnect();
    await storage.clear();
    expect(await storage.getKeys()).toEqual([]);
  } finally {
    await storage.dispose();
  }
});

it("rate-limiter-flexible, without scripts, lets five pass and holds the sixth", async () => {
  const storeClient = new Redis(port);
  const limiter = new RateLimiterRedisNonAtomic({ storeClient, points: 5, duration: 60 });
  try {
    for (let used = 1; used <= 5; used += 1) {
      const { consumedPoints, remainingPoints } = await limiter.consume("user");
      expect([consumedPoints, remainingPoints]).toEqual([used, 5 - used]);
    }
    const held: RateLimiterRes = await limiter.consume("user").then(
      () => expect.fail("a sixth request passed"),
      (reason: RateLimiterRes) => reason,
    );
    expect(held.msBeforeNext).toBeGreaterThan(0);
    expect(held.msBeforeNext).toBeLessThanOrEqual(60_000);
    expect((await limiter.get("user"))?.consumedPoints).toBe(6);
    await limiter.penalty("user", 2);
    expect((await limiter.get("user"))?.consumedPoints).toBe(8);
    await limiter.reward("user", 7);
    expect((await limiter.consume("user")).consumedPoints).toBe(2);
    await limiter.block("user", 30);
    await expect(limiter.consume("user")).rejects.toMatchObject({ remainingPoints: 0 });
    expect(await limiter.delete("user")).toBe(true);
    expect(await limiter.get("user")).toBeNull();
  } finally {
    storeClient.disconnect();
  }
});

it("node-redis speaks RESP3: strings, buffers, expiry, transactions, iteration", async () => {
  const client = createClient({ url, RESP: 3, name: "node-redis" });
  client.on("error", () => undefined);
  await client.connect();
  try {
    expect(await client.set("n:a", "1", { expiration: { type: "EX", value: 60 } })).toBe("OK");
    expect(await client.get("n:a")).toBe("1");
    expect(await client.get("n:none")).toBeNull();
    expect(await client.ttl("n:a")).toBeGreaterThan(50);
    expect(await client.incrBy("n:count", 41)).toBe(41);
    expect(await client.incrByFloat("n:count", 0.5)).toBe("41.5");
    expect(await client.mGet(["n:a", "n:none", "n:count"])).toEqual(["1", null, "41.5"]);
    expect(await client.set("n:a", "2", { condition: "NX" })).toBeNull();
    const replies = await client.multi().set("n:b", "x").append("n:b", "y").get("n:b").exec();
    expect(replies).toEqual(["OK", 2, "xy"]);
    const seen: string[] = [];
    for await (const keys of client.scanIterator({ MATCH: "n:*", COUNT: 10 })) seen.push(...keys);
    expect(seen.toSorted()).toEqual(["n:a", "n:b", "n:count"]);
    expect(await client.clientGetName()).toBe("node-redis");
    expect(await client.del(["n:a", "n:b", "n:count", "n:none"])).toBe(3);
    await expect(client.lPush("n:list", "x")).rejects.toThrow(/lpush/iu);
    const many = await Promise.all(
      Array.from({ length: 500 }, (_, at) => client.set(`n:many:${at}`, at)),
    );
    expect(new Set(many)).toEqual(new Set(["OK"]));
    const keys = Array.from({ length: 500 }, (_, at) => `n:many:${at}`);
    expect(await client.mGet(keys)).toEqual(keys.map((_, at) => String(at)));
    expect(await client.unlink(keys)).toBe(500);
  } finally {
    client.destroy();
  }
});

it("ioredis: pipelines, transactions, streams of keys, buffers", async () => {
  const redis = new Redis(port, { keyPrefix: "i:" });
  try {
    const binary = Buffer.from([0, 255, 10, 13, 0]);
    expect(await redis.set("bin", binary, "PX", 60_000)).toBe("OK");
    expect(await redis.getBuffer("bin")).toEqual(binary);
    const piped = await redis.pipeline().set("a", 1).incr("a").get("a").exec();
    expect(piped).toEqual([
      [null, "OK"],
      [null, 2],
      [null, "2"],
    ]);
    expect(await redis.multi().incr("a").incr("a").exec()).toEqual([
      [null, 3],
      [null, 4],
    ]);
    expect(await redis.set("a", "5", "GET")).toBe("4");
    expect(await redis.getdel("a")).toBe("5");
    expect(await redis.exists("a")).toBe(0);
    const seen: string[] = [];
    for await (const keys of redis.scanStream({ match: "i:*" })) seen.push(...(keys as string[]));
    expect(seen).toEqual(["i:bin"]);
    expect(await redis.expire("bin", 0)).toBe(1);
    expect(await redis.get("bin")).toBeNull();
    await expect(redis.eval("return 1", 0)).rejects.toThrow(/eval/iu);
    expect(await redis.quit()).toBe("OK");
  } finally {
    redis.disconnect();
  }
});
