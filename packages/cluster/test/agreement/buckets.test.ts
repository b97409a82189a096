import type { BucketChange, GivenBucket } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { SmallCluster, address, node, successful } from "../small-cluster.ts";

function create(name: string, given: GivenBucket = {}): BucketChange {
  return { intent: "create", name, given };
}

function change(name: string, given: GivenBucket): BucketChange {
  return { intent: "change", name, given };
}

/** The epochs that the given nodes go by. */
function epochs(small: SmallCluster, ...numbers: readonly number[]): readonly number[] {
  return numbers.map((number) => small.at(number).document()?.epoch ?? 0);
}

function policyAt(small: SmallCluster, number: number, name: string): string | undefined {
  const buckets = small.at(number).document()?.settings.buckets ?? [];
  return buckets.find((bucket) => bucket.name === name)?.policy;
}

describe("a bucket created after formation", () => {
  it("is there at every node as soon as it is acknowledged", async () => {
    const small = await SmallCluster.start();
    const created = await small.until(small.at(1).changeBucket(create("carts")));
    expect(created).toMatchObject({ ok: true, result: "created", epoch: 2 });
    expect(epochs(small, 1, 2, 3)).toEqual([2, 2, 2]);
    successful(await small.put(2, "k", "v", { bucket: "carts" }));
    expect(await small.read(3, "k", { bucket: "carts" })).toEqual(["v"]);
  });

  it("survives a power cut of all nodes", async () => {
    const small = await SmallCluster.start();
    successful(await small.until(small.at(2).changeBucket(create("carts"))));
    successful(await small.put(2, "k", "v", { bucket: "carts" }));
    small.crash(1, 2, 3);
    for (const number of [1, 2, 3]) await small.restart(number);
    expect(await small.read(3, "k", { bucket: "carts" })).toEqual(["v"]);
    const again = await small.until(small.at(3).changeBucket(create("others")));
    expect(again).toMatchObject({ ok: true, result: "created", epoch: 3 });
  });

  it("is learnt by a node that was down, without anybody naming the bucket", async () => {
    const small = await SmallCluster.start();
    small.crash(3);
    successful(await small.until(small.at(1).changeBucket(create("carts"))));
    await small.restart(3);
    await small.pass(5000);
    expect(epochs(small, 3)).toEqual([2]);
  });

  it("is found by a client at a node that was cut off and has not heard of it", async () => {
    const small = await SmallCluster.start();
    const { network } = small.cluster;
    for (const other of [1, 2]) {
      network.cut(address(3), address(other), "silent");
      network.cut(address(other), address(3), "silent");
    }
    successful(await small.until(small.at(1).changeBucket(create("carts"))));
    expect(epochs(small, 1, 2, 3)).toEqual([2, 2, 1]);
    network.heal();
    successful(await small.put(3, "k", "v", { bucket: "carts" }));
    expect(epochs(small, 3)).toEqual([2]);
  });

  it("is refused without a majority, while data is served", async () => {
    const small = await SmallCluster.start();
    small.crash(2, 3);
    const refused = await small.until(small.at(1).changeBucket(create("carts")));
    expect(refused).toMatchObject({ ok: false, code: "no-majority", outcome: "refused" });
    expect(await small.get(1, "k", { r: 1 })).toMatchObject({ ok: true });
    await small.restart(2);
    // So long at most a peer that was silent is not asked again.
    await small.pass(1000);
    successful(await small.until(small.at(1).changeBucket(create("carts"))));
  });

  it("is the same when it is created again, and a conflict with other settings", async () => {
    const small = await SmallCluster.start();
    successful(await small.until(small.at(1).changeBucket(create("carts", { r: 1, w: 3 }))));
    const same = await small.until(small.at(2).changeBucket(create("carts", { r: 1, w: 3 })));
    expect(same).toMatchObject({ ok: true, result: "unchanged", epoch: 2 });
    const other = await small.until(small.at(3).changeBucket(create("carts")));
    expect(other).toMatchObject({ ok: false, code: "bucket-conflict" });
    expect(epochs(small, 1, 2, 3)).toEqual([2, 2, 2]);
  });

  it("never mixes the settings of two that create it at once", async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const small = await SmallCluster.start({ seed });
      const both = [
        small.at(1).changeBucket(create("carts", { policy: "lww" })),
        small.at(3).changeBucket(create("carts", { policy: "siblings" })),
      ];
      const outcomes = [];
      for (const each of both) outcomes.push(await small.until(each));
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      const won = outcomes[0]?.ok === true ? "lww" : "siblings";
      for (const number of [1, 2, 3]) expect(policyAt(small, number, "carts")).toBe(won);
    }
  });
});

describe("two that create a bucket with other settings, on both sides of a partition", () => {
  it.each(["silent", "refusing"] as const)("(%s): the majority's wins", async (kind) => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { network } = small.cluster;
    network.partition([address(1), address(2)], [address(3), address(4), address(5)], kind);
    const minority = small.at(1).changeBucket(create("carts", { policy: "lww" }));
    const majority = small.at(5).changeBucket(create("carts", { policy: "siblings" }));
    expect(await small.until(majority)).toMatchObject({ ok: true, result: "created" });
    expect(await small.until(minority)).toMatchObject({ ok: false, code: "no-majority" });
    expect(await small.read(1, "k", { bucket: "carts" })).toBe("no-such-bucket");
    network.heal();
    await small.pass(1000);
    const late = await small.until(small.at(2).changeBucket(create("carts", { policy: "lww" })));
    expect(late).toMatchObject({ ok: false, code: "bucket-conflict" });
    await small.pass(60_000);
    expect(epochs(small, 1, 2, 3, 4, 5)).toEqual([2, 2, 2, 2, 2]);
    for (const at of [1, 2, 3, 4, 5]) expect(policyAt(small, at, "carts")).toBe("siblings");
  });
});

describe("a node that was down when its cluster formed", () => {
  it("takes the document as it is by then", async () => {
    let joined = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const small = new SmallCluster({ seed });
      const { cluster } = small;
      for (const number of [1, 2, 3]) void cluster.startNode(node(number));
      await small.pass(seed);
      // What n3 says still arrives; that the others agree, it does not hear.
      for (const other of [1, 2]) cluster.network.cut(address(other), address(3), "silent");
      await small.pass(3000);
      const isReady = (number: number): boolean => small.at(number).document() !== undefined;
      if (!isReady(1) || !isReady(2) || isReady(3)) continue;
      joined += 1;
      small.crash(3);
      cluster.network.heal();
      successful(await small.until(small.at(2).changeBucket(create("carts"))));
      await small.restart(3);
      expect(epochs(small, 1, 2, 3)).toEqual([2, 2, 2]);
      successful(await small.put(3, "k", "v", { bucket: "carts" }));
    }
    expect(joined).toBeGreaterThan(0);
  });
});

describe("a bucket's settings", () => {
  it("change at every node, and only those that may", async () => {
    const small = await SmallCluster.start();
    const changed = await small.until(small.at(2).changeBucket(change("default", { r: 1, w: 3 })));
    expect(changed).toMatchObject({ ok: true, result: "changed", bucket: { r: 1, w: 3, n: 3 } });
    small.crash(3);
    await small.pass(100);
    const put = await small.put(1, "k", "v");
    expect(put).toMatchObject({ ok: false, acks: { required: 3 } });
    for (const given of [{ policy: "lww" }, { n: 2 }] as const) {
      const refused = await small.until(small.at(1).changeBucket(change("default", given)));
      expect(refused).toMatchObject({ ok: false, code: "bucket-conflict" });
    }
    const stale = await small.until(small.at(1).changeBucket(change("default", { w: 1 })));
    expect(stale).toMatchObject({ ok: false, code: "bad-request" });
    const unknown = await small.until(small.at(1).changeBucket(change("nowhere", { w: 1 })));
    expect(unknown).toMatchObject({ ok: false, code: "no-such-bucket" });
  });
});

describe("a version that was accepted, and whose proposer is gone", () => {
  it("is brought to an end by the voters that are left", async () => {
    let wereLeft = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const small = await SmallCluster.start({ seed });
      void small.at(1).changeBucket(create("carts"));
      await small.pass(seed / 2);
      small.crash(1);
      const before = policyAt(small, 2, "carts");
      await small.pass(20_000);
      expect(policyAt(small, 2, "carts")).toBe(policyAt(small, 3, "carts"));
      if (before === undefined && policyAt(small, 2, "carts") !== undefined) wereLeft += 1;
      expect(small.cluster.node(node(2))?.documentDigest()).toBe(
        small.cluster.node(node(3))?.documentDigest(),
      );
    }
    expect(wereLeft).toBeGreaterThan(0);
  });
});
