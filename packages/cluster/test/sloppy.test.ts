import {
  type MembershipMessage,
  type News,
  type NodeId,
  crc32c,
  utf8,
  wholeBucket,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import { describe, expect, it } from "vitest";
import { tell } from "./hints/tell.ts";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

const key = "k";
const sloppy = { strict: false } as const;

interface Placed {
  readonly small: SmallCluster;
  /** Primaries in ring order, and everybody else in the order in which they stand in. */
  readonly owners: readonly number[];
  readonly others: readonly number[];
}

async function fiveNodes(mode: "strict" | "sloppy" = "strict"): Promise<Placed> {
  const buckets = [wholeBucket("default", { mode }, 3)];
  const small = await SmallCluster.start({ nodes: 5, buckets });
  return { small, ...small.owners(key) };
}

/** Cuts nodes off from all others, and from each other: calls to them are refused at once. */
function away({ cluster }: SmallCluster, ...numbers: readonly (number | undefined)[]): void {
  for (const one of numbers) {
    for (const other of cluster.ids) {
      if (one === undefined || other === node(one)) continue;
      const [here, there] = [address(one), address(Number(other.slice(1)))];
      cluster.network.cut(here, there, "refusing");
      cluster.network.cut(there, here, "refusing");
    }
  }
}

it("behaviour 33: with a preferred node dead a stand-in holds a hint with the value", async () => {
  const { small, owners, others } = await fiveNodes();
  const [first, second, dead] = owners as readonly [number, number, number];
  away(small, dead);
  const put = successful(await small.put(first, key, "v", sloppy));
  expect(put.acks.required).toBe(2);
  await small.pass(100);
  const held = others.map((at) =>
    small.cluster
      .node(node(at))
      ?.handoff()
      ?.debts.map(({ target, kind, records }) => {
        return { target, kind, records };
      }),
  );
  expect(held).toEqual([[{ target: node(dead), kind: "hints", records: 1 }], []]);
  small.crash(second);
  expect(await small.read(first, key, sloppy)).toEqual(["v"]);
});

describe("with two of three primaries away", () => {
  it("a strict put is refused, and a sloppy one is held by a fallback", async () => {
    const { small, owners, others } = await fiveNodes();
    away(small, owners[1], owners[2]);
    const refused = await small.put(owners[0] as number, key, "v");
    expect(refused).toMatchObject({ ok: false, code: "quorum-not-met", outcome: "refused" });
    const put = await small.put(owners[0] as number, key, "v", sloppy);
    expect(put).toMatchObject({ ok: true, acks: { primaries: 1, fallbacks: 1, required: 2 } });
    for (const through of [owners[0], ...others]) {
      const read = successful(await small.get(through as number, key, sloppy));
      expect(read.acks).toEqual({ primaries: 1, fallbacks: 1, required: 2 });
      expect(read.siblings).toHaveLength(1);
    }
    expect(await small.read(owners[0] as number, key)).toBe("quorum-not-met");
  });
});

describe("with all primaries away", () => {
  it("a fallback coordinates, and reads meet what it and others hold", async () => {
    const { small, owners, others } = await fiveNodes();
    away(small, ...owners);
    const [one, two] = others as readonly [number, number];
    const first = successful(await small.put(one, key, "v", sloppy));
    expect(first.acks).toEqual({ primaries: 0, fallbacks: 2, required: 2 });
    expect(await small.read(two, key, sloppy)).toEqual(["v"]);
    const second = successful(
      await small.put(two, key, "w", { ...sloppy, context: first.context }),
    );
    expect(second.siblings).toBe(1);
    expect(await small.read(one, key, sloppy)).toEqual(["w"]);
    const strict = await small.put(one, key, "x");
    expect(strict).toMatchObject({ ok: false, code: "quorum-not-met", outcome: "refused" });
  });

  it("blind puts at one fallback, under its guest actor, are both kept", async () => {
    const { small, owners, others } = await fiveNodes();
    away(small, ...owners);
    const [one] = others as readonly [number];
    successful(await small.put(one, key, "v", sloppy));
    successful(await small.put(one, key, "w", sloppy));
    expect(await small.read(one, key, sloppy)).toEqual(["v", "w"]);
  });

  it("a delete is held as well", async () => {
    const { small, owners, others } = await fiveNodes();
    away(small, ...owners);
    const [one, two] = others as readonly [number, number];
    successful(await small.put(one, key, "v", sloppy));
    const deleted = successful(await small.delete(two, key, sloppy));
    expect(deleted.acks).toMatchObject({ primaries: 0, fallbacks: 2 });
    expect(await small.read(one, key, sloppy)).toEqual([]);
  });

  it("pw and pr are met by primaries only", async () => {
    const { small, owners, others } = await fiveNodes();
    away(small, ...owners);
    const [one] = others as readonly [number];
    const put = await small.put(one, key, "v", { ...sloppy, pw: 1 });
    expect(put).toMatchObject({ ok: false, code: "quorum-not-met", outcome: "refused" });
    expect(await small.read(one, key, { ...sloppy, pr: 1 })).toBe("quorum-not-met");
  });
});

it("a fallback keeps what no other one holds though a round of reaping came between", async () => {
  const buckets = [wholeBucket("default", { mode: "sloppy" }, 3)];
  const small = await SmallCluster.start({ nodes: 5, buckets, partitions: 1 });
  const { owners, others } = small.owners(key);
  const [one, two] = others as readonly [number, number];
  away(small, two);
  const { network } = small.cluster;
  for (const owner of owners) network.cut(address(one), address(owner), "silent");
  const begun = small.begin(one, key, "v", { w: 1 });
  // It is passing the write on, and holds nothing yet.
  await small.pass(100);
  const round = { partition: 0, fence: 1, reaped: 0, entries: [], cuts: [] };
  const raised = await tell(small, one, { kind: "raise-fence", ...round });
  expect(raised).toMatchObject({ fence: { raised: 1 }, problem: undefined });
  expect(await small.until(begun)).toMatchObject({ ok: true, acks: { fallbacks: 1 } });
  await small.pass(2000);
  network.heal();
  await small.pass(5000);
  for (const owner of owners) expect(await small.own(owner, key)).toEqual(["v"]);
});

it("a bucket's mode is that of requests which do not say", async () => {
  const { small, owners } = await fiveNodes("sloppy");
  away(small, owners[1], owners[2]);
  expect(await small.put(owners[0] as number, key, "v")).toMatchObject({
    ok: true,
    acks: { primaries: 1, fallbacks: 1 },
  });
  expect(await small.put(owners[0] as number, key, "w", { strict: true })).toMatchObject({
    ok: false,
    outcome: "refused",
  });
});

it("no fallback takes part while all primaries are well", async () => {
  const { small, owners, others } = await fiveNodes("sloppy");
  for (const through of [...owners, ...others]) {
    const put = successful(await small.put(through, key, `v${through}`));
    expect(put.acks).toEqual({ primaries: 2, fallbacks: 0, required: 2 });
    const read = successful(await small.get(through, key));
    expect(read.acks).toEqual({ primaries: 2, fallbacks: 0, required: 2 });
  }
});

it("primaries that are silent are taken for absent halfway to the deadline", async () => {
  const { small, owners } = await fiveNodes("sloppy");
  const { network } = small.cluster;
  const [first, ...rest] = owners as readonly [number, number, number];
  for (const other of rest) {
    network.cut(address(first), address(other), "silent");
    network.cut(address(other), address(first), "silent");
  }
  const put = successful(await small.put(first, key, "v"));
  expect(put.acks).toEqual({ primaries: 1, fallbacks: 1, required: 2 });
  const read = successful(await small.get(first, key));
  expect(read.acks).toEqual({ primaries: 1, fallbacks: 1, required: 2 });
});

/** Has node `at` believe, for as long as they have not denied it, that others are suspected. */
function accuse({ cluster, world }: SmallCluster, at: number, ...others: readonly number[]): void {
  const receiver = cluster.node(node(at));
  const document = receiver?.document();
  if (receiver === undefined || document === undefined) throw new Error(`n${at} is not ready`);
  const from = others[0] as number;
  const incarnationOf = (id: NodeId): number =>
    receiver.membership()?.members.find((each) => each.id === id)?.incarnation ?? 0;
  const news = others.map((number): News => {
    const id = node(number);
    return { id, state: "suspect", incarnation: incarnationOf(id), by: node(from), ageMs: 0 };
  });
  const message: MembershipMessage = {
    from: node(from),
    to: node(at),
    incarnation: incarnationOf(node(from)),
    epoch: document.epoch,
    news,
    body: { kind: "gossip" },
  };
  const deadline = (world.nowMs + 1000) as MonotonicMs;
  const tag = crc32c(utf8(document.clusterId));
  receiver.receive({ kind: "membership", cluster: tag, message }, deadline, () => {});
}

it("fallbacks that others accuse serve all the same while they can be reached", async () => {
  const { small, owners, others } = await fiveNodes("sloppy");
  away(small, owners[1], owners[2]);
  accuse(small, owners[0] as number, ...others);
  const accused = small.at(owners[0] as number).membership()?.members ?? [];
  expect(accused.filter(({ state }) => state === "suspect")).toHaveLength(2);
  const put = successful(await small.put(owners[0] as number, key, "v"));
  expect(put.acks).toEqual({ primaries: 1, fallbacks: 1, required: 2 });
  const read = successful(await small.get(owners[0] as number, key));
  expect(read.acks).toEqual({ primaries: 1, fallbacks: 1, required: 2 });
});

it("fallbacks that are out of reach for a moment are waited for", async () => {
  const { small, owners, others } = await fiveNodes("sloppy");
  const { network } = small.cluster;
  const [first] = owners as readonly [number, number, number];
  away(small, ...owners, ...others);
  const mend = (): void => {
    for (const other of others) {
      network.mend(address(first), address(other));
      network.mend(address(other), address(first));
    }
  };
  const early = small.begin(first, key, "v");
  await small.pass(100);
  mend();
  const put = successful(await small.until(early));
  expect(put.acks).toEqual({ primaries: 1, fallbacks: 1, required: 2 });
});

it("a node that is leaving stands in for nobody", async () => {
  const { small, owners, others } = await fiveNodes("sloppy");
  const [leaver] = others as readonly [number, number];
  const left = await small.until(
    small.at(leaver).changeDocument((current) => ({
      ...current,
      epoch: current.epoch + 1,
      members: current.members.map((member) =>
        member.id === node(leaver) ? { ...member, departure: "leaving" } : member,
      ),
    })),
  );
  expect(left?.ok).toBe(true);
  away(small, ...owners, ...others);
  const put = await small.put(leaver, key, "v", { w: 1 });
  expect(put).toMatchObject({ ok: false, code: "quorum-not-met", outcome: "refused" });
  expect(small.at(leaver).handoff()?.debts).toEqual([]);
});

it("a write is refused soon where nobody comes, and at once where nobody could", async () => {
  const { small, owners, others } = await fiveNodes("sloppy");
  away(small, ...owners, ...others);
  const before = small.world.nowMs;
  const refused = await small.put(owners[0] as number, key, "v");
  expect(refused).toMatchObject({ code: "quorum-not-met", outcome: "refused" });
  expect(small.world.nowMs - before).toBeLessThan(1000);
  const buckets = [wholeBucket("default", { mode: "sloppy" }, 3)];
  const three = await SmallCluster.start({ nodes: 3, buckets });
  away(three, 1, 2, 3);
  const then = three.world.nowMs;
  expect(await three.put(1, key, "v")).toMatchObject({ code: "quorum-not-met" });
  expect(three.world.nowMs - then).toBeLessThan(50);
});
