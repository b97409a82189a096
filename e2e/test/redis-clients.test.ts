import { setTimeout as sleep } from "node:timers/promises";
import { Coterie, text } from "@coterie/client";
import { Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { RealCluster } from "../src/real-cluster.ts";

let cluster: RealCluster;
const closers: (() => void)[] = [];

beforeAll(async () => {
  cluster = await RealCluster.start({ arguments: ["--memory"] });
}, 90_000);

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

afterAll(() => cluster.stop());

function portOf(node: number): number {
  return Number(cluster.endpoints[node]?.resp.split(":")[1]);
}

function ioredisAt(node: number): Redis {
  const client = new Redis(portOf(node), "127.0.0.1");
  closers.push(() => client.disconnect());
  return client;
}

it("ioredis: values, deadlines, pipelines, transactions and scans, from any node", async () => {
  const [one, two] = [ioredisAt(0), ioredisAt(1)];
  expect(await one.set("greeting", "hello")).toBe("OK");
  expect(await two.get("greeting")).toBe("hello");
  expect(await two.set("bytes", Buffer.of(0, 255, 13, 10), "EX", 100)).toBe("OK");
  expect(await one.getBuffer("bytes")).toEqual(Buffer.of(0, 255, 13, 10));
  expect(await one.ttl("bytes")).toBeGreaterThan(90);
  const pipeline = one.pipeline();
  for (let at = 0; at < 200; at += 1) pipeline.set(`pipe:${at}`, at).get(`pipe:${at}`);
  const replies = (await pipeline.exec()) ?? [];
  expect(replies.filter(([error]) => error !== null)).toEqual([]);
  expect(replies.filter((_, at) => at % 2 === 1).map(([, said]) => said)).toEqual(
    Array.from({ length: 200 }, (_, at) => String(at)),
  );
  const done = await two.multi().set("m", 1).incr("m").get("m").exec();
  expect(done).toEqual([
    [null, "OK"],
    [null, 2],
    [null, "2"],
  ]);
  const found: string[] = [];
  for await (const keys of two.scanStream({ match: "pipe:*", count: 50 })) {
    found.push(...(keys as string[]));
  }
  expect(found.length).toBe(200);
  expect(await one.del(...found)).toBe(200);
  await expect(one.lpush("list", "a")).rejects.toThrow("there are no lists");
});

it("what the latest of concurrent writes has won over is shown to whoever asks", async () => {
  const [one, three] = [ioredisAt(0), ioredisAt(2)];
  const shown = async (): Promise<readonly string[]> => {
    const [, , , siblings] = (await one.call("COT.GET", "won")) as [
      string,
      string,
      string,
      string[][],
    ];
    return siblings.map(([, value]) => value ?? "");
  };
  // Only now and then do two nodes write before they have heard of each other.
  const race = async (): Promise<number> => {
    await Promise.all([one.set("won", "one"), three.set("won", "three")]);
    return (await shown()).length;
  };
  await expect.poll(race, { timeout: 60_000, interval: 1 }).toBe(2);
  const both = await shown();
  expect(both.toSorted()).toEqual(["one", "three"]);
  expect(await three.get("won")).toBe(both[0]);

  const door = `http://${cluster.doors[1]}/v1/buckets/redis/keys/won`;
  expect((await fetch(door)).status).toBe(200);
  const all = await fetch(`${door}?siblings=all`);
  expect([all.status, all.headers.get("coterie-siblings")]).toEqual([300, "2"]);
  const batch = await fetch(`http://${cluster.doors[1]}/v1/batch`, {
    method: "POST",
    headers: { "Content-Type": "application/x-ndjson" },
    body: '{"op":"get","bucket":"redis","key":"won","siblings":"all"}\n',
  });
  expect(await batch.text()).toContain('"status":300');
  const client = new Coterie({ nodes: cluster.endpoints.map(({ grpc }) => grpc) });
  closers.push(() => void client.close());
  const bucket = client.bucket("redis", { codec: text });
  expect(await bucket.get("won")).toMatchObject({ kind: "value", value: both[0] });
  const read = await bucket.get("won", { allSiblings: true });
  expect(read).toMatchObject({ kind: "siblings", values: both });
  await bucket.put("won", "merged", { context: read.context });
  expect(await shown()).toEqual(["merged"]);
}, 90_000);

it("node-redis, in RESP3: the same", async () => {
  const client = createClient({ url: `redis://127.0.0.1:${portOf(2)}`, RESP: 3 });
  closers.push(() => client.destroy());
  client.on("error", () => undefined);
  await client.connect();
  expect(await client.set("three", "3", { expiration: { type: "EX", value: 100 } })).toBe("OK");
  expect(await client.get("three")).toBe("3");
  expect(await client.mGet(["three", "none"])).toEqual(["3", null]);
  expect(await client.multi().set("n", "1").incr("n").exec()).toEqual(["OK", 2]);
  expect(await client.configGet("save")).toEqual({ save: "" });
  const found: string[] = [];
  for await (const keys of client.scanIterator({ MATCH: "three" })) found.push(...keys);
  expect(found).toEqual(["three"]);
});

it("cluster-aware clients find all nodes through one", async () => {
  const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${portOf(0)}` }] });
  closers.push(() => client.destroy());
  client.on("error", () => undefined);
  await client.connect();
  expect(client.slots.length).toBe(16_384);
  for (let at = 0; at < 50; at += 1) expect(await client.set(`c${at}`, String(at))).toBe("OK");
  for (let at = 0; at < 50; at += 1) expect(await client.get(`c${at}`)).toBe(String(at));
});

it("one node is killed: no command through the others fails", async () => {
  const clients = [ioredisAt(0), ioredisAt(2)];
  let isOver = false;
  let written = 0;
  const failures: unknown[] = [];
  const writers = clients.map(async (client, at) => {
    for (let round = 0; !isOver; round += 1) {
      try {
        await Promise.all([
          client.set(`w${at}:${round}`, round),
          client.incr(`sum${at}`),
          client.get(`w${at}:${round - 1}`),
        ]);
        written += 1;
      } catch (error) {
        failures.push(error);
      }
    }
  });
  const until = async (count: number): Promise<void> => {
    while (written < count && failures.length === 0) await sleep(10);
  };
  await until(50);
  await cluster.kill("n2");
  await until(written + 100);
  isOver = true;
  await Promise.all(writers);
  expect(failures.map(String)).toEqual([]);
  for (const [at, client] of clients.entries()) {
    const sum = Number(await client.get(`sum${at}`));
    expect(
      await client.exists(...Array.from({ length: sum }, (_, round) => `w${at}:${round}`)),
    ).toBe(sum);
  }
}, 60_000);
