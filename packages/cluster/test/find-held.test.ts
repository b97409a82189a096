import { latin1 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import type { HeldKey, HeldLike, HeldQuery } from "../src/index.ts";
import { SmallCluster, node, successful } from "./small-cluster.ts";

const names: readonly string[] = Array.from({ length: 300 }, (_, index) => `key-${index}`);

const tombstones: HeldLike = { kind: "tombstones" };
const siblings: HeldLike = { kind: "siblings", least: 2 };

async function filled(nodes: number = 3): Promise<SmallCluster> {
  const small = await SmallCluster.start({ partitions: 5, nodes });
  const begun = names.map((key, index) => small.begin((index % 3) + 1, key, "v", { w: 3 }));
  for (const put of begun) successful(await small.until(put));
  return small;
}

interface Found {
  readonly keys: readonly HeldKey[];
  readonly pages: number;
  readonly isWhole: boolean;
}

/** All pages of what one node holds. */
async function findAll(
  small: SmallCluster,
  at: number,
  like: HeldLike,
  options: Partial<HeldQuery> = {},
): Promise<Found> {
  const keys: HeldKey[] = [];
  let { cursor } = options;
  for (let pages = 1; ; pages += 1) {
    const query = { like, bucket: undefined, limit: 1000, ...options, cursor };
    const page = successful(await small.until(small.at(at).findHeld(query)));
    expect(page.node).toBe(node(at));
    keys.push(...page.keys);
    if (page.cursor === undefined) return { keys, pages, isWhole: page.isWhole };
    ({ cursor } = page);
  }
}

function texts({ keys }: Found): readonly string[] {
  return keys.map(({ key }) => latin1(key)).toSorted();
}

describe("what a node holds", () => {
  it("is found by its tombstones, from the index alone", async () => {
    const small = await filled();
    const gone = names.slice(0, 40);
    for (const key of gone) successful(await small.delete(1, key, { w: 3 }));
    for (const at of [1, 2, 3]) {
      const before = small.at(at).statistics().store;
      const found = await findAll(small, at, tombstones);
      const after = small.at(at).statistics().store;
      expect(texts(found)).toEqual(gone.toSorted());
      expect(found.isWhole).toBe(true);
      expect(found.keys[0]).toMatchObject({ bucket: "default", siblings: 0 });
      const reads = (each: typeof after): number =>
        (each?.readsFromDisk ?? 0) + (each?.readsFromCache ?? 0);
      expect(reads(after) - reads(before)).toBe(gone.length);
    }
  });

  it("is found by the size of its records", async () => {
    const small = await filled();
    successful(await small.put(1, "large", "v".repeat(5000), { w: 3 }));
    const found = await findAll(small, 2, { kind: "larger", bytes: 5000 });
    expect(texts(found)).toEqual(["large"]);
    const [large] = found.keys;
    expect(large?.bytes).toBeGreaterThan(5000);
    const bytes = large?.bytes ?? 0;
    expect((await findAll(small, 2, { kind: "larger", bytes })).keys).toEqual([]);
    expect((await findAll(small, 2, { kind: "larger", bytes: bytes - 1 })).keys).toHaveLength(1);
  });

  it("is found by siblings, of which expired values are none", async () => {
    const small = await filled();
    for (let count = 0; count < 3; count += 1) {
      successful(await small.put(1, "three", `value ${count}`, { w: 3 }));
      if (count > 0) successful(await small.put(1, "two", `value ${count}`, { w: 3 }));
      const ttl = count === 0 ? {} : { ttlMs: 1000 };
      successful(await small.put(1, "was-three", `value ${count}`, { w: 3, ...ttl }));
    }
    expect(texts(await findAll(small, 3, siblings))).toEqual(["three", "two", "was-three"]);
    await small.pass(1001);
    const found = await findAll(small, 3, siblings);
    expect(texts(found)).toEqual(["three", "two"]);
    const counts = found.keys.map((key) => [latin1(key.key), key.siblings]);
    expect(Object.fromEntries(counts)).toEqual({ two: 2, three: 3 });
    expect(texts(await findAll(small, 3, { kind: "siblings", least: 3 }))).toEqual(["three"]);
  });

  it("is found in one bucket, or in all", async () => {
    const small = await filled();
    const like: HeldLike = { kind: "larger", bytes: 2000 };
    for (const bucket of ["default", "redis"]) {
      successful(await small.put(1, "both", "v".repeat(2000), { bucket, w: 3 }));
    }
    const buckets = ({ keys }: Found): readonly string[] => keys.map(({ bucket }) => bucket);
    const all = await findAll(small, 1, like);
    expect(buckets(all).toSorted()).toEqual(["default", "redis"]);
    expect(buckets(await findAll(small, 1, like, { bucket: "redis" }))).toEqual(["redis"]);
  });
});

describe("a page of what a node holds", () => {
  it("ends when it is full, and the next one begins there, at this node or another", async () => {
    const small = await filled();
    const like: HeldLike = { kind: "siblings", least: 1 };
    const paged = await findAll(small, 1, like, { limit: 1 });
    expect(paged.pages).toBeGreaterThan(4);
    expect(texts(paged)).toEqual(names.toSorted());
    expect(paged.keys.map(({ token }) => token)).toEqual(
      paged.keys.map(({ token }) => token).toSorted(),
    );
    const middle = paged.keys[149]?.token;
    const rest = await findAll(small, 2, like, { cursor: middle });
    expect(rest.keys.map(({ token }) => token)).toEqual(
      paged.keys.slice(150).map(({ token }) => token),
    );
  });

  it("shows what the node itself holds, and nothing of others", async () => {
    const small = await filled(5);
    const like: HeldLike = { kind: "siblings", least: 1 };
    const holders = new Map<string, number>();
    for (const at of [1, 2, 3, 4, 5]) {
      for (const name of texts(await findAll(small, at, like))) {
        holders.set(name, (holders.get(name) ?? 0) + 1);
      }
    }
    expect([...holders.keys()].toSorted()).toEqual(names.toSorted());
    expect(new Set(holders.values())).toEqual(new Set([3]));
  });

  it("is refused with what cannot be asked", async () => {
    const small = await SmallCluster.start();
    const query: HeldQuery = { like: tombstones, bucket: undefined, limit: 1, cursor: undefined };
    const ask = (more: Partial<HeldQuery>): Promise<object> =>
      small.until(small.at(1).findHeld({ ...query, ...more }));
    expect(await ask({ limit: 0 })).toMatchObject({ ok: false, code: "bad-request" });
    expect(await ask({ limit: 10_001 })).toMatchObject({ ok: false, code: "bad-request" });
    expect(await ask({ cursor: "x" })).toMatchObject({ ok: false, code: "bad-request" });
    expect(await ask({ bucket: "no" })).toMatchObject({ ok: false, code: "no-such-bucket" });
    const many = Array.from({ length: 5 }, () => small.at(1).findHeld(query));
    const outcomes = await small.until(Promise.all(many));
    expect(outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.code)).toSorted()).toEqual([
      "ok",
      "ok",
      "ok",
      "ok",
      "overloaded",
    ]);
    const stopped = small.at(1);
    await small.until(stopped.stop());
    expect(await small.until(stopped.findHeld(query))).toMatchObject({ code: "shutting-down" });
  });

  it("says so while the node lacks what damage took from it", async () => {
    const small = await filled();
    for (const key of names) successful(await small.put(1, key, "v".repeat(1000), { w: 3 }));
    await small.stop(1);
    const disk = small.cluster.disk(node(1));
    const [segment = ""] = [...disk.image().keys()].filter((name) => name.endsWith(".seg"));
    for (const offset of [30_000, 40_000, 50_000]) disk.flipBit(segment, offset, 3);
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
    await small.restart(1);
    const like: HeldLike = { kind: "siblings", least: 1 };
    const damaged = await findAll(small, 1, like);
    expect(damaged.isWhole).toBe(false);
    expect(damaged.keys.length).toBeLessThan(names.length);
    small.cluster.network.heal();
    await small.pass(10_000);
    expect(await findAll(small, 1, like)).toMatchObject({ isWhole: true });
    expect(texts(await findAll(small, 1, like))).toEqual(names.toSorted());
  });
});
