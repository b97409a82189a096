import { utf8 } from "@coterie/core";
import type { SimClusterOptions } from "@coterie/sim";
import { expect, it } from "vitest";
import type { GetOutcome } from "../src/index.ts";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

const keys: readonly string[] = Array.from({ length: 40 }, (_, index) => `key-${index}`);

async function filled(options: Partial<SimClusterOptions> = {}): Promise<SmallCluster> {
  const small = await SmallCluster.start(options);
  for (const key of keys) successful(await small.put(1, key, "v", { w: 3 }));
  return small;
}

/** Reads `count` times at node 1, so many per second; resolves with what each took, sorted. */
async function read(
  small: SmallCluster,
  count: number,
  perSecond: number,
): Promise<readonly number[]> {
  const took: number[] = [];
  const reads: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const since = small.world.nowMs;
    const key = keys[index % keys.length] as string;
    const place = { bucket: "default", key: new TextEncoder().encode(key) };
    reads.push(
      small
        .at(1)
        .get(place, {})
        .then((outcome) => {
          successful(outcome);
          took.push(small.world.nowMs - since);
        }),
    );
    await small.pass(1000 / perSecond);
  }
  await small.until(Promise.all(reads));
  return took.toSorted((left, right) => left - right);
}

it("a peer that gets slow costs a few hedges, and is avoided until it has recovered", async () => {
  const small = await filled();
  const usual = await read(small, 2000, 500);
  const before = small.at(1).statistics();
  small.cluster.network.slow(address(2), 60);

  const slowed = await read(small, 2000, 500);
  const slow = small.at(1).statistics();
  expect(slowed[Math.floor(slowed.length * 0.99)]).toBeLessThan((usual.at(-1) ?? 0) + 30);
  expect(slowed.at(-1)).toBeLessThan(200);
  const hedged = slow.hedgedReads - before.hedgedReads;
  expect(hedged).toBeGreaterThan(0);
  expect(hedged).toBeLessThan(60);
  expect(slow.readProbes - before.readProbes).toBeGreaterThan(5);
  expect(slow.readProbes - before.readProbes).toBeLessThan(40);

  small.cluster.network.slow(address(2), 1);
  await read(small, 2000, 500);
  const served = small.at(2).statistics().peerRequestsServed;
  await read(small, 400, 500);
  // About half of the keys have it before the third in their preference lists.
  expect(small.at(2).statistics().peerRequestsServed - served).toBeGreaterThan(100);
});

it("reads of a cluster that is slow altogether hedge no more than their budget", async () => {
  const small = await filled();
  await read(small, 400, 500);
  const before = small.at(1).statistics();
  const { network } = small.cluster;
  network.weather = { ...network.weather, latency: { msMin: 5, msMax: 60 } };
  const count = 4000;
  await read(small, count, 1000);
  const after = small.at(1).statistics();
  const hedged = after.hedgedReads - before.hedgedReads;
  expect(hedged).toBeGreaterThan(count / 20);
  expect(hedged).toBeLessThanOrEqual(count / 10 + 64);
  expect(after.hedgesSuppressed).toBeGreaterThan(before.hedgesSuppressed);
});

it("a node that stands still holds no read up for long, however many wait for it", async () => {
  const small = await filled();
  await read(small, 400, 500);
  small.cluster.pause("n2" as never);
  const took = await read(small, 4000, 4000);
  expect(took.at(-1)).toBeLessThan(100);
});

const momentKeys: readonly string[] = Array.from({ length: 100 }, (_, index) => `m-${index}`);

/** How many requests nodes 2 and 3 serve, most first, while node 1 is asked for so many keys. */
async function servedOf(
  small: SmallCluster,
  first: number,
  count: number,
): Promise<readonly number[]> {
  const served = (): readonly number[] =>
    [2, 3].map((node) => small.at(node).statistics().peerRequestsServed);
  const before = served();
  const asked = Array.from({ length: count }, (_, at) => {
    const key = momentKeys[(first + at) % momentKeys.length] as string;
    return small.at(1).get({ bucket: "default", key: new TextEncoder().encode(key) }, {});
  });
  for (const outcome of await small.until(Promise.all(asked))) successful(outcome);
  return served().map((count, at) => count - (before[at] ?? 0));
}

it("reads of one moment ask one peer, each its turn, up to as many as share a cost", async () => {
  const small = await SmallCluster.start();
  for (const key of momentKeys) successful(await small.put(1, key, "v", { w: 3 }));
  const all = [0, 0];
  for (let moment = 0; moment < 100; moment += 1) {
    await small.pass(50);
    const served = await servedOf(small, moment, 20);
    // Beside them may be one that looks whether its peer is as slow as it was.
    expect(Math.min(...served)).toBeLessThanOrEqual(1);
    expect(Math.max(...served)).toBeGreaterThanOrEqual(20);
    for (const [at, count] of served.entries()) all[at] = (all[at] ?? 0) + count;
  }
  for (const count of all) expect(count).toBeGreaterThan(500);
  await small.pass(50);
  const many = await servedOf(small, 0, 100);
  expect(Math.min(...many)).toBeGreaterThanOrEqual(36);
  expect(Math.max(...many)).toBeGreaterThanOrEqual(64);
});

/** Reads keys at node 1 as they are being written; what the reads took, in order. */
async function readWhileWritten(small: SmallCluster, count: number): Promise<readonly number[]> {
  const took: number[] = [];
  const under = (reading: Promise<GetOutcome>, since: number): Promise<void> =>
    reading.then((outcome) => {
      successful(outcome);
      took.push(small.world.nowMs - since);
    });
  const all: Promise<unknown>[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = keys[index % keys.length] as string;
    all.push(small.begin(2, name, `v${index}`).then(successful));
    await small.pass(2);
    const reading = small.at(1).get({ bucket: "default", key: utf8(name) }, {});
    all.push(under(reading, small.world.nowMs));
    await small.pass(2);
  }
  await small.until(Promise.all(all));
  return took.toSorted((left, right) => left - right);
}

it("a node with a slow disk has others answer for what its own has not synced yet", async () => {
  const small = await filled({ cacheBytes: 1 << 20 });
  const usual = await readWhileWritten(small, 500);
  const before = small.at(1).statistics();
  expect(before.readsPastOwn).toBe(0);
  small.cluster.disk(node(1)).slowdown = 60;

  const slowed = await readWhileWritten(small, 500);
  const slow = small.at(1).statistics();
  expect(slow.readsPastOwn - before.readsPastOwn).toBeGreaterThan(150);
  expect(slow.hedgedReads - before.hedgedReads).toBeLessThan(60);
  expect(slowed[Math.floor(slowed.length * 0.95)]).toBeLessThan((usual.at(-1) ?? 0) + 10);

  small.cluster.disk(node(1)).slowdown = 1;
  await readWhileWritten(small, 500);
  const recovered = small.at(1).statistics().readsPastOwn;
  await readWhileWritten(small, 100);
  expect(small.at(1).statistics().readsPastOwn).toBe(recovered);
});

it("a copy that a slow disk has to read is waited for, as others would read theirs", async () => {
  const small = await filled({ cacheBytes: 0 });
  await readWhileWritten(small, 200);
  small.cluster.disk(node(1)).slowdown = 60;
  await readWhileWritten(small, 200);
  await small.pass(5000);
  const before = small.at(1).statistics();
  const served = small.at(2).statistics().peerRequestsServed;
  await read(small, 400, 100);
  const after = small.at(1).statistics();
  expect(before.readsPastOwn).toBeGreaterThan(0);
  expect(after.readsPastOwn).toBe(before.readsPastOwn);
  expect(after.versionsDiffered).toBe(before.versionsDiffered);
  expect(small.at(2).statistics().peerRequestsServed).toBeGreaterThan(served);
});
