import {
  type ClusterDocument,
  type Member,
  type Move,
  arrive,
  partitionOf,
  tokenOf,
  utf8,
  wholeBucket,
} from "@coterie/core";
import { beforeEach, describe, expect, it } from "vitest";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

const key = "cart";
const strict = { strict: true, w: 2, r: 2 } as const;
const writeId = "00112233445566778899aabbccddeeff" as never;

/**
 * Six nodes that all own every partition, so that each may come before any other: of a key in a
 * bucket of three copies, the partition moves from the first three to the last three. One of the
 * first three is down, so that the move is not over before the test says so.
 */
interface Moving {
  readonly small: SmallCluster;
  readonly present: readonly [number, number, number];
  readonly next: readonly [number, number, number];
}

async function sixNodes(): Promise<Moving> {
  const buckets = [wholeBucket("default", { n: 3 }, 6), wholeBucket("wide", { n: 6 }, 6)];
  const small = await SmallCluster.start({ nodes: 6, buckets });
  const { owners, others } = small.owners(key);
  return {
    small,
    present: owners as unknown as Moving["present"],
    next: others.toReversed() as unknown as Moving["next"],
  };
}

function movingPartition(small: SmallCluster, at: number): number {
  const { settings } = small.at(at).document() as ClusterDocument;
  return partitionOf(tokenOf({ bucket: "default", key: utf8(key) }, settings), settings.partitions);
}

/** The key's partition begins to move to the same nodes the other way round. */
async function enter(small: SmallCluster, at: number): Promise<void> {
  const partition = movingPartition(small, at);
  await change(small, at, (document) => {
    const to = (document.owners[partition] as readonly number[]).toReversed();
    const awaited = to.slice(0, 1);
    const epoch = document.epoch + 1;
    return { ...document, epoch, moves: [{ partition, to, awaited }], entered: epoch };
  });
}

/** The move is over: those who were next are the owners. */
async function flip(small: SmallCluster, at: number): Promise<void> {
  await change(small, at, (document) => {
    const { moves = [], members } = document;
    const { partition, awaited } = moves[0] as Move;
    const { id } = members[awaited[0] as number] as Member;
    return arrive(document, { id, partitions: [partition], entered: document.entered });
  });
}

async function change(
  small: SmallCluster,
  at: number,
  next: (current: ClusterDocument) => ClusterDocument,
): Promise<void> {
  const chosen = await small.until(small.at(at).changeDocument(next));
  expect(chosen).toMatchObject({ ok: true });
}

/** Nobody of `some` reaches anybody else, nor is reached. */
function cutOff({ cluster }: SmallCluster, ...some: readonly number[]): void {
  const inside = some.map(address);
  const everybody = cluster.ids.map((id) => address(Number(id.slice(1))));
  const others = everybody.filter((each) => !inside.includes(each));
  cluster.network.partition(inside, others, "refusing");
}

/** How many of these nodes hold a value. */
async function holding(
  small: SmallCluster,
  some: readonly number[],
  value: string,
): Promise<number> {
  let count = 0;
  for (const at of some) if ((await small.own(at, key)).includes(value)) count += 1;
  return count;
}

/** How many keys a scan finds, or why it fails. */
async function scan(small: SmallCluster, at: number): Promise<number | string> {
  const options = { limit: 10, cursor: undefined, prefix: undefined, tombstones: false };
  const scanned = await small.until(small.at(at).scan("default", options));
  return scanned.ok ? scanned.items.length : scanned.code;
}

describe("while a partition moves", () => {
  let small: SmallCluster;
  let present: Moving["present"];
  let next: Moving["next"];

  beforeEach(async () => {
    ({ small, present, next } = await sixNodes());
    successful(await small.put(present[0], key, "before", strict));
    small.crash(present[2]);
    await enter(small, present[0]);
  });

  it("a strict write is on a quorum of either owners", async () => {
    const put = successful(await small.put(present[0], key, "now", strict));
    expect(put.acks).toEqual({ primaries: 2, fallbacks: 0, required: 2 });
    expect(await holding(small, next, "now")).toBeGreaterThanOrEqual(2);
  });

  it("is coordinated by a present owner, whoever is asked", async () => {
    successful(await small.put(next[0], key, "now", strict));
    expect(await small.read(next[1], key, strict)).toContain("now");
  });

  it("a strict request is refused where the next owners are too few", async () => {
    small.crash(next[1], next[2]);
    await small.pass(100);
    expect(await small.put(present[0], key, "now", strict)).toMatchObject({
      ok: false,
      code: "quorum-not-met",
      outcome: "refused",
    });
    expect(await small.read(present[0], key, strict)).toBe("quorum-not-met");
    expect(await scan(small, present[0])).toBe("quorum-not-met");
    successful(await small.put(present[0], key, "sloppy", { strict: false }));
    expect(await small.own(next[0], key)).toContain("sloppy");
  });

  it("a strict request is refused where the present owners are too few", async () => {
    small.crash(present[1]);
    await small.pass(100);
    expect(await small.put(present[0], key, "now", strict)).toMatchObject({ ok: false });
    expect(await small.read(next[0], key, strict)).toBe("quorum-not-met");
  });

  it("what a strict read has shown is at the next owners too", async () => {
    expect(await small.read(next[0], key, strict)).toEqual(["before"]);
    expect(await holding(small, next, "before")).toBeGreaterThanOrEqual(2);
  });

  it("explain says who comes next", async () => {
    const explained = await small.explain(present[0], key);
    const roles = explained?.replicas.map(({ node: id, role }) => `${id} ${role}`);
    expect(roles).toEqual(expect.arrayContaining(next.map((at) => `${node(at)} next`)));
  });

  it("a scan finds what only a next owner has", async () => {
    successful(await small.put(present[0], key, "now", strict));
    expect(await scan(small, next[2])).toBe(1);
  });

  it("who has not heard that it is over acknowledges nothing and shows nothing old", async () => {
    const [first, second, third] = present;
    cutOff(small, first, second);
    await small.restart(third);
    await flip(small, next[0]);
    successful(await small.put(next[0], key, "after", strict));
    expect(await small.read(first, key, strict)).toBe("quorum-not-met");
    expect(await small.put(first, key, "late", strict)).toMatchObject({ code: "quorum-not-met" });
    small.cluster.network.heal();
    await small.pass(5000);
    expect(await small.read(first, key, strict)).toEqual(await small.read(third, key, strict));
  });
});

describe("a coordinator that goes by owners of before", () => {
  let small: SmallCluster;
  let present: Moving["present"];
  let next: Moving["next"];

  /** One of the present owners, and one that is none, hear of no change. */
  beforeEach(async () => {
    ({ small, present, next } = await sixNodes());
    successful(await small.put(present[0], key, "before", strict));
    small.crash(present[2]);
  });

  async function behind(...some: readonly number[]): Promise<void> {
    cutOff(small, ...some);
    await enter(small, present[1]);
    small.cluster.network.heal();
  }

  it("learns of the others, and tries again: what is tried twice is one write", async () => {
    await behind(present[0]);
    const put = await small.put(present[0], key, "now", { ...strict, writeId });
    expect(successful(put).siblings).toBe(2);
    expect(await small.read(next[0], key, strict)).toEqual(["before", "now"]);
    expect(await holding(small, next, "now")).toBeGreaterThanOrEqual(2);
  });

  it.each([true, false])("sends a put without an id again, strict or not: %s", async (isStrict) => {
    await behind(present[0]);
    const put = await small.put(present[0], key, "now", { ...strict, strict: isStrict });
    expect(successful(put).siblings).toBe(2);
    expect(await small.read(present[1], key, strict)).toEqual(["before", "now"]);
  });

  it("creates what is not there once", async () => {
    await behind(present[0]);
    successful(await small.delete(present[1], key, strict));
    const created = await small.put(present[0], key, "new", { ...strict, ifAbsent: true });
    expect(created).toMatchObject({ ok: true, siblings: 1 });
    expect(await small.read(present[1], key, strict)).toEqual(["new"]);
  });

  it("passes a put on under an id of its own, as often as it takes", async () => {
    await behind(next[0]);
    const put = await small.put(next[0], key, "now", strict);
    expect(successful(put).siblings).toBe(2);
    expect(await small.read(next[1], key, strict)).toEqual(["before", "now"]);
  });

  it("reads by the newer ones", async () => {
    await behind(next[0]);
    expect(await small.read(next[0], key, strict)).toEqual(["before"]);
    expect(small.at(next[0]).document()).toEqual(small.at(present[1]).document());
  });

  it("deletes by the newer ones", async () => {
    await behind(present[0]);
    successful(await small.delete(present[0], key, strict));
    expect(await small.read(next[0], key, strict)).toEqual([]);
  });

  it("scans by the newer ones", async () => {
    await behind(present[0]);
    expect(await scan(small, present[0])).toBe(1);
  });

  it("shows nothing old where it reaches none of the owners of now", async () => {
    const [first, second, third] = present;
    await small.restart(third);
    cutOff(small, first);
    await enter(small, second);
    await flip(small, second);
    successful(await small.put(next[0], key, "after", strict));
    small.cluster.network.heal();
    small.cluster.network.partition([address(first)], next.map(address), "refusing");
    expect(await small.read(first, key, strict)).toBe("quorum-not-met");
    small.cluster.network.heal();
    await small.pass(5000);
    expect(await small.read(first, key, strict)).toContain("after");
  });

  it("is answered by who is behind itself, and learns first", async () => {
    await small.restart(present[2]);
    await behind(next[0], next[1]);
    const put = await small.put(present[0], key, "now", strict);
    expect(put).toMatchObject({ ok: true });
    expect(await small.read(next[2], key, strict)).toContain("now");
  });
});
