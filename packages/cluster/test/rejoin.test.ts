import type { NodeId, PeerAddress } from "@coterie/core";
import type { SimDisk } from "@coterie/sim";
import { describe, expect, it } from "vitest";
import type { StartOutcome } from "../src/index.ts";
import { loneNode, usualSettings } from "./lone-node.ts";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

const all = [1, 2, 3];

/** The machine loses its power, and gets an empty disk; returns the one that it had. */
function wipe(small: SmallCluster, number: number): SimDisk {
  small.crash(number);
  return small.cluster.replaceDisk(node(number), new Map());
}

function start(small: SmallCluster, number: number): Promise<StartOutcome> {
  return small.cluster.startNode(node(number));
}

/** Cuts a node off from all others, or joins it to them again. */
function cutOff(small: SmallCluster, number: number): void {
  for (const other of all.filter((each) => each !== number)) {
    small.cluster.network.cut(address(number), address(other), "refusing");
    small.cluster.network.cut(address(other), address(number), "refusing");
  }
}

function eventsAt(small: SmallCluster, number: number, kind: string): readonly unknown[] {
  return small.cluster.events
    .filter(({ node: at, event }) => at === node(number) && event.kind === kind)
    .map(({ event }) => event);
}

function nonceOf(small: SmallCluster, at: number, number: number): string | undefined {
  const members = small.at(at).document()?.members ?? [];
  return members.find(({ id }) => id === node(number))?.nonce;
}

async function isWhole(small: SmallCluster, number: number): Promise<boolean> {
  for (let waited = 0; waited < 30_000; waited += 100) {
    if (!small.at(number).isRefilling) return true;
    await small.pass(100);
  }
  return false;
}

describe("a member whose directory was emptied", () => {
  it("takes its place again, and is refilled without any read", async () => {
    const small = await SmallCluster.start();
    for (const key of ["a", "b", "c"]) successful(await small.put(1, key, key, { w: 3 }));
    const lost = nonceOf(small, 1, 3);
    wipe(small, 3);
    successful(await small.until(start(small, 3)));
    expect(await isWhole(small, 3)).toBe(true);
    for (const key of ["a", "b", "c"]) expect(await small.own(3, key)).toEqual([key]);
    const nonces = all.map((at) => nonceOf(small, at, 3));
    expect(new Set(nonces).size).toBe(1);
    expect(nonces).not.toContain(lost);
    expect(all.map((at) => small.at(at).document()?.epoch)).toEqual([2, 2, 2]);
    expect(all.map((at) => small.at(at).statistics().directoriesReplaced)).toEqual([1, 1, 0]);
    expect(eventsAt(small, 3, "rejoined")).toMatchObject([{ epoch: 2 }]);
    expect(eventsAt(small, 3, "refilled")).toHaveLength(1);
    expect(eventsAt(small, 1, "directory-replaced")).toEqual([
      { kind: "directory-replaced", id: "n3", epoch: 2 },
    ]);
    expect(JSON.stringify(eventsAt(small, 1, "rejoin-waits"))).toContain("former directory");
  });

  it("answers unknown, and takes writes, until it has asked all others", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one", { w: 3 }));
    wipe(small, 3);
    small.crash(2);
    const started = start(small, 3);
    // First its former directory must be known to be gone.
    await small.pass(30_000);
    expect(small.at(3).missing().join()).toContain("n1 at n1 says: too few of the voters");
    await small.restart(2);
    successful(await small.until(started));
    small.crash(2);
    await small.pass(5000);
    expect([small.at(3).isRefilling, await small.own(3, "k")]).toEqual([true, "unknown"]);
    expect(await small.own(3, "never written")).toBe("unknown");
    successful(await small.put(1, "new", "two", { w: 2 }));
    expect(await small.read(3, "k", { r: 2 })).toMatch(/quorum-not-met|timeout/u);
    await small.restart(2);
    expect(await isWhole(small, 3)).toBe(true);
    expect(await small.own(3, "k")).toEqual(["one"]);
    expect(await small.own(3, "never written")).toBe("absent");
  });

  it.each([1, 50, 200, 400, 600, 800, 1000, 1500])(
    "never takes its emptiness for absence when its power fails %d ms after its first start",
    async (ms) => {
      const small = await SmallCluster.start();
      successful(await small.put(1, "k", "one", { w: 3 }));
      wipe(small, 3);
      // Long enough for the others to take it for dead.
      await small.pass(10_000);
      void start(small, 3);
      await small.pass(ms);
      small.crash(3);
      void start(small, 3);
      await small.pass(20);
      cutOff(small, 3);
      await small.pass(2000);
      expect(await small.own(3, "k")).not.toBe("absent");
      small.cluster.network.heal();
      await small.pass(20_000);
      expect(await small.own(3, "k")).toEqual(["one"]);
    },
  );

  it("votes on what comes after its return, with the others' votes as they were", async () => {
    const small = await SmallCluster.start();
    const create = (at: number, name: string): Promise<unknown> =>
      small.until(small.at(at).changeBucket({ intent: "create", name, given: {} }));
    expect(await create(1, "before")).toMatchObject({ ok: true, epoch: 2 });
    wipe(small, 3);
    successful(await small.until(start(small, 3)));
    small.crash(1);
    expect(await create(2, "after")).toMatchObject({ ok: true, epoch: 4 });
    wipe(small, 2);
    await small.restart(1);
    successful(await small.until(start(small, 2)));
    expect(await create(2, "last")).toMatchObject({ ok: true, epoch: 6 });
    const names = small
      .at(3)
      .document()
      ?.settings.buckets.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["before", "after", "last"]));
  });

  it("goes by buckets that changed since the cluster formed", async () => {
    const small = await SmallCluster.start();
    const given = { policy: "lww" } as const;
    const change = { intent: "create", name: "carts", given } as const;
    successful(await small.until(small.at(1).changeBucket(change)));
    successful(await small.put(1, "k", "one", { w: 3, bucket: "carts" }));
    wipe(small, 3);
    successful(await small.until(start(small, 3)));
    expect(await isWhole(small, 3)).toBe(true);
    expect(await small.own(3, "k", { bucket: "carts" })).toEqual(["one"]);
  });

  it("takes part in placing as before: no request is refused for its stamp", async () => {
    const small = await SmallCluster.start();
    wipe(small, 3);
    successful(await small.until(start(small, 3)));
    for (const at of all) successful(await small.put(at, `k${at}`, "one", { w: 3 }));
    expect(all.map((at) => small.at(at).statistics().staleEpochs)).toEqual([0, 0, 0]);
  });
});

describe("is refused", () => {
  it("while the one that it calls itself runs, and that one if it is found late", async () => {
    const small = await SmallCluster.start();
    const disk = wipe(small, 3);
    const place = "elsewhere" as PeerAddress;
    const fatal: string[] = [];
    const own = loneNode(small, 3, { disk, place, onFatal: (reason) => fatal.push(reason) });
    successful(await small.until(own.start()));
    const started = start(small, 3);
    await small.pass(30_000);
    expect(small.at(3).missing().join()).toContain("n3 with its former directory is taken for");
    expect(small.at(1).document()?.epoch).toBe(1);
    const { network } = small.cluster;
    for (const number of [1, 2]) network.cut(place, address(number), "silent");
    successful(await small.until(started));
    expect([small.at(1).document()?.epoch, own.document()?.epoch]).toEqual([2, 1]);
    network.heal();
    await small.pass(10_000);
    expect(fatal.slice(0, 1)).toEqual([
      expect.stringContaining("another directory has taken the place of this one as n3's"),
    ]);
  });

  it("with the directory that was taken for lost, once another one has its place", async () => {
    const small = await SmallCluster.start();
    const own = wipe(small, 3);
    successful(await small.until(start(small, 3)));
    small.crash(3);
    const newer = small.cluster.insertDisk(node(3), own);
    expect(await small.until(start(small, 3))).toMatchObject({
      ok: false,
      code: "wrong-directory",
      message: expect.stringContaining("another directory has taken the place of this one"),
    });
    small.crash(3);
    small.cluster.insertDisk(node(3), newer);
    successful(await small.until(start(small, 3)));
    expect(small.at(3).document()?.epoch).toBe(2);
  });

  it("by nobody with its own directory, if that comes back before its place is given", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one", { w: 3 }));
    const own = wipe(small, 3);
    void start(small, 3);
    await small.pass(1000);
    small.crash(3);
    small.cluster.insertDisk(node(3), own);
    successful(await small.until(start(small, 3)));
    await small.pass(20_000);
    expect(all.map((at) => small.at(at).document()?.epoch)).toEqual([1, 1, 1]);
    expect(await small.own(3, "k")).toEqual(["one"]);
  });

  it("with other settings, before anything is changed for it", async () => {
    const small = await SmallCluster.start();
    wipe(small, 3);
    const lone = loneNode(small, 3, { settings: { ...usualSettings, partitions: 16 } });
    const started = await small.until(lone.start());
    expect(started).toMatchObject({ ok: false, code: "not-formed" });
    expect(started.ok ? "" : started.message).toContain("partitions is 8 in the cluster and 16");
    expect(small.at(1).document()?.epoch).toBe(1);
  });

  it("where that is switched off, with the reason", async () => {
    const small = await SmallCluster.start({ mayRejoin: false });
    wipe(small, 3);
    const started = await small.until(start(small, 3));
    expect(started).toMatchObject({ ok: false, code: "not-formed" });
    expect(started.ok ? "" : started.message).toMatch(/whose n3 has another directory.*empty/u);
    small.crash(3);
    const lone = loneNode(small, 3);
    const waiting = lone.start();
    await small.pass(20_000);
    expect(lone.missing().join()).toContain("rejoin is off here");
    const stopped = lone.stop();
    expect(await small.until(waiting)).toMatchObject({ ok: false, code: "not-formed" });
    await small.until(stopped);
  });
});

describe("when more than one directory is lost", () => {
  it("all of them form a cluster of their own", async () => {
    const small = await SmallCluster.start();
    const before = small.at(1).document()?.clusterId;
    for (const number of all) wipe(small, number);
    for (const started of all.map((number) => start(small, number))) {
      successful(await small.until(started));
    }
    const documents = all.map((number) => small.at(number).document());
    expect(documents.map((document) => document?.epoch)).toEqual([1, 1, 1]);
    expect(new Set(documents.map((document) => document?.clusterId)).size).toBe(1);
    expect(documents[0]?.clusterId).not.toBe(before);
  });

  it("a majority waits, and forms nothing with the rest", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one", { w: 3 }));
    const disks = [2, 3].map((number) => wipe(small, number));
    const started = [2, 3].map((number) => start(small, number));
    await small.pass(60_000);
    for (const number of [2, 3]) {
      expect(small.at(number).missing().join()).toContain("too few of the voters");
      expect(small.at(number).document()).toBeUndefined();
    }
    expect(small.at(1).document()?.epoch).toBe(1);
    // One of the directories is found again: now there is a majority.
    small.crash(2);
    small.cluster.insertDisk(node(2), disks[0] as SimDisk);
    successful(await small.until(start(small, 2)));
    successful(await small.until(started[1] as Promise<StartOutcome>));
    expect(await isWhole(small, 3)).toBe(true);
    expect(await small.own(3, "k")).toEqual(["one"]);
  });

  it("one after the other get their places, also when both ask at once", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    successful(await small.put(1, "k", "one", { w: 3 }));
    const { others } = small.owners("k");
    const lost = others.slice(0, 2);
    for (const number of lost) wipe(small, number);
    for (const started of lost.map((number) => start(small, number))) {
      successful(await small.until(started));
    }
    await small.pass(10_000);
    const epochs = [1, 2, 3, 4, 5].map((number) => small.at(number).document()?.epoch);
    expect(new Set(epochs)).toEqual(new Set([3]));
    const ids: readonly NodeId[] = lost.map(node);
    const replaced = small
      .at(1)
      .document()
      ?.members.filter(({ firstNonce }) => firstNonce);
    expect(replaced?.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  });
});
