import { type BucketSettings, type NodeId, defaultBuckets } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { SmallCluster, address, successful } from "../small-cluster.ts";

const [usual] = defaultBuckets(3) as [BucketSettings];

/** After which a call that nobody answered has ended. */
const silenceMs = 1500;

/** The record of a key in all nodes' own copies: one digest if they are equal. */
async function digests(small: SmallCluster, key: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const number of [1, 2, 3]) {
    const copy = await small.copy(number, key);
    found.push(copy.state === "present" ? copy.digest : copy.state);
  }
  return found;
}

async function putMany(small: SmallCluster, at: number, count: number): Promise<void> {
  const puts = Array.from({ length: count }, (_, index) =>
    small.begin(at, `key-${index}`, `value-${index}`),
  );
  for (const put of puts) successful(await small.until(put));
}

/** How many of the keys that {@link putMany} wrote n3 holds as n1 does, without any read. */
async function equalKeys(small: SmallCluster, count: number): Promise<number> {
  let equal = 0;
  for (let index = 0; index < count; index += 1) {
    const [first, , third] = await digests(small, `key-${index}`);
    if (first === third && first !== "absent") equal += 1;
  }
  return equal;
}

async function untilPaid(small: SmallCluster, at: number): Promise<void> {
  while ((small.at(at).handoff()?.debts.length ?? 1) > 0) await small.pass(50);
}

function debtsOf(small: SmallCluster, at: number): unknown {
  return small.at(at).handoff()?.debts;
}

describe("keys that a node missed", () => {
  it("are there soon after it is back, without any read", async () => {
    const small = await SmallCluster.start({ handoff: { bytesPerSecond: 1 << 23, keysMax: 1000 } });
    small.crash(3);
    await putMany(small, 1, 200);
    await small.pass(silenceMs);
    expect(debtsOf(small, 1)).toMatchObject([{ target: "n3", kind: "missed", records: 200 }]);
    await small.restart(3);
    await untilPaid(small, 1);
    expect(await equalKeys(small, 200)).toBe(200);
    expect(small.at(1).handoff()?.counts).toMatchObject({ noted: 200, paid: { missed: 200 } });
  });

  it("are tombstones too, and what was written over what it holds", async () => {
    const small = await SmallCluster.start();
    for (const key of ["kept", "deleted"]) successful(await small.put(1, key, "old"));
    await small.pass(100);
    small.crash(3);
    successful(await small.put(1, "kept", "new"));
    successful(await small.delete(1, "deleted"));
    await small.pass(silenceMs);
    await small.restart(3);
    await untilPaid(small, 1);
    expect(await small.own(3, "kept")).toEqual(["new", "old"]);
    expect(await small.own(3, "deleted")).toEqual([]);
    expect(new Set(await digests(small, "deleted")).size).toBe(1);
  });

  it("are noted by whoever coordinated, also where too few acknowledged", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.cut(address(2), address(1), "silent");
    small.cluster.network.cut(address(2), address(3), "silent");
    const put = await small.put(2, "alone", "x", { timeoutMs: 500 });
    expect(put).toMatchObject({ ok: false, outcome: "unknown" });
    await small.pass(100);
    expect(debtsOf(small, 2)).toHaveLength(2);
    small.cluster.network.heal();
    await untilPaid(small, 2);
    expect(await small.own(1, "alone")).toEqual(["x"]);
    expect(await small.own(3, "alone")).toEqual(["x"]);
  });

  it("that are missed again while they are paid are paid again", async () => {
    const small = await SmallCluster.start();
    const { network } = small.cluster;
    network.cut(address(1), address(3), "refusing");
    successful(await small.put(1, "twice", "first"));
    network.mend(address(1), address(3));
    // What n1 sends now waits in the link, and then is lost.
    network.hold(address(1), address(3));
    while (!JSON.stringify(debtsOf(small, 1)).includes("delivering")) await small.pass(10);
    successful(await small.put(1, "twice", "second", { timeoutMs: 300 }));
    await small.pass(400);
    network.release(address(1), address(3));
    await untilPaid(small, 1);
    expect(await small.own(3, "twice")).toEqual(["first", "second"]);
  });

  it("are not sent to owners that hold no copy of their bucket", async () => {
    const single: BucketSettings = { ...usual, name: "single", n: 1, r: 1, w: 1 };
    const small = await SmallCluster.start({ buckets: [usual, single] });
    await small.pass(100);
    for (let index = 0; index < 8; index += 1) {
      successful(await small.put(1, `single-${index}`, "x", { bucket: "single" }));
    }
    small.crash(1, 2, 3);
    for (const number of [1, 2, 3]) await small.restart(number);
    for (const number of [1, 2, 3]) await untilPaid(small, number);
    for (let index = 0; index < 8; index += 1) {
      const held: string[] = [];
      for (const number of [1, 2, 3]) {
        const copy = await small.copy(number, `single-${index}`, { bucket: "single" });
        if (copy.state === "present") held.push(`n${number}`);
      }
      expect(held.length).toBe(1);
    }
  });
});

describe("partitions of which the keys are not known", () => {
  it("are those with more keys than the budget has room for", async () => {
    const small = await SmallCluster.start();
    small.crash(3);
    await putMany(small, 1, 300);
    await small.pass(silenceMs);
    const [debt] = small.at(1).handoff()?.debts ?? [];
    // Of 100 keys that a simulated node remembers half may be of one target.
    expect(debt?.records).toBeLessThanOrEqual(50);
    expect(debt?.dirtyPartitions).toBeGreaterThan(0);
    await small.restart(3);
    await untilPaid(small, 1);
    expect(await equalKeys(small, 300)).toBe(300);
  });

  it("are remembered by a coordinator that was restarted", async () => {
    const small = await SmallCluster.start();
    small.crash(3);
    await putMany(small, 1, 30);
    await small.pass(silenceMs);
    await small.stop(1);
    await small.restart(1);
    expect(debtsOf(small, 1)).toMatchObject([{ target: "n3", records: 0 }]);
    await small.restart(3);
    await untilPaid(small, 1);
    expect(await equalKeys(small, 30)).toBe(30);
  });

  it("are all of them after a crash, whoever holds more", async () => {
    const small = await SmallCluster.start();
    const { network } = small.cluster;
    // n3 alone has "only-3" and dies before it can tell; n1 and n2 have "not-3".
    network.cut(address(3), address(1), "silent");
    network.cut(address(3), address(2), "silent");
    void small.begin(3, "only-3", "x");
    await small.pass(200);
    small.crash(3);
    network.heal();
    successful(await small.put(1, "not-3", "y"));
    small.crash(1, 2);
    for (const number of [1, 2, 3]) await small.restart(number);
    for (const number of [1, 2, 3]) await untilPaid(small, number);
    for (const key of ["only-3", "not-3"]) {
      const [copy, ...others] = new Set(await digests(small, key));
      expect([copy === "absent", others]).toEqual([false, []]);
    }
  });

  it("are all of them where the file is damaged or could not be written", async () => {
    const small = await SmallCluster.start();
    small.crash(3);
    const disk = small.cluster.disk(small.at(1).id);
    disk.capacityBytes = 0;
    await small.stop(1);
    small.cluster.disk(small.cluster.ids[0] as NodeId).capacityBytes = Number.MAX_SAFE_INTEGER;
    await small.restart(1);
    const debts = small.at(1).handoff()?.debts ?? [];
    expect(debts.every(({ dirtyPartitions }) => dirtyPartitions > 0)).toBe(true);
  });
});
