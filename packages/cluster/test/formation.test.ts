import { type ClusterDocument, type PeerAddress, Ring, utf8 } from "@coterie/core";
import { SimClock, SimDisk } from "@coterie/sim";
import { describe, expect, it } from "vitest";
import { loneNode, usualSettings } from "./lone-node.ts";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

describe("formation", () => {
  it.each([[[1, 2, 3]], [[3, 1, 2]], [[2, 3, 1]]])("forms in the order %o", async (order) => {
    const small = new SmallCluster();
    const starting = [];
    for (const number of order) {
      starting.push(small.cluster.startNode(node(number)));
      await small.pass(700);
      const isLast = starting.length === order.length;
      if (!isLast) expect(small.at(number).missing().join()).toMatch(/no answer from bootstrap/u);
    }
    for (const one of starting) successful(await small.until(one));
    const documents = [1, 2, 3].map((number) => small.at(number).document());
    expect(documents[1]).toEqual(documents[0]);
    expect(documents[2]).toEqual(documents[0]);
    expect(documents[0]?.members.map(({ id }) => id)).toEqual(["n1", "n2", "n3"]);
    successful(await small.put(order[0] ?? 1, "k", "one", { w: 3 }));
  });

  it("goes on when a node dies and returns while the cluster forms", async () => {
    const small = new SmallCluster();
    const first = [1, 2].map((number) => small.cluster.startNode(node(number)));
    await small.pass(200);
    small.crash(1);
    const last = [1, 3].map((number) => small.cluster.startNode(node(number)));
    for (const one of [first[1], ...last]) successful(await small.until(one ?? Promise.reject()));
    const put = await small.put(1, "k", "one", { w: 3 });
    expect(put).toMatchObject({ ok: true });
  });

  it("serves after a restart what one node can alone, strict reads with one other", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one", { w: 3 }));
    small.crash(1, 2, 3);
    await small.restart(2);
    expect(small.at(2).missing()).toEqual([]);
    expect(await small.read(2, "k")).toMatch(/quorum-not-met|timeout/u);
    expect(await small.put(2, "k", "two")).toMatchObject({ ok: false });
    // Where the others died silently, the put was tried: it may be there.
    expect(await small.read(2, "k", { r: 1 })).toContain("one");
    await small.restart(3);
    // So long at most a peer that was silent is not asked again.
    await small.pass(1000);
    const read = successful(await small.get(2, "k"));
    expect(read.siblings.length).toBeGreaterThan(0);
    successful(await small.put(3, "k", "three", { context: read.context }));
    expect(await small.read(2, "k")).toContain("three");
  });

  const [usual] = usualSettings.buckets;
  it.each([
    ["partitions", { ...usualSettings, partitions: 16 }],
    ["buckets", { ...usualSettings, buckets: usual === undefined ? [] : [{ ...usual, r: 3 }] }],
  ])("refuses to form with a node that has other %s, with the reason", async (_, settings) => {
    const small = new SmallCluster();
    const starting = [1, 2].map((number) => small.cluster.startNode(node(number)));
    const lone = loneNode(small, 3, { settings });
    for (const one of [lone.start(), ...starting]) {
      const started = await small.until(one);
      expect(started).toMatchObject({ ok: false, code: "not-formed" });
      expect(started.ok ? "" : started.message).toContain("has other cluster settings");
    }
  });

  it("starts again with other buckets in its configuration, and goes by its document", async () => {
    const small = await SmallCluster.start();
    small.crash(3);
    const disk = small.cluster.disk(node(3));
    const settings = { ...usualSettings, buckets: [] };
    const lone = loneNode(small, 3, { settings, disk });
    expect(await small.until(lone.start())).toEqual({ ok: true });
    expect(lone.document()).toEqual(small.at(1).document());
  });

  it("refuses to restart with other partitions, and starts with the old ones", async () => {
    const settings = { ...usualSettings, partitions: 16 };
    const small = await SmallCluster.start();
    small.crash(3);
    const disk = small.cluster.disk(node(3));
    const started = await small.until(loneNode(small, 3, { settings, disk }).start());
    expect(started).toMatchObject({ ok: false, code: "wrong-directory" });
    expect(started.ok ? "" : started.message).toContain(
      "configured otherwise than its cluster was formed",
    );
    small.cluster.network.crash(address(3));
    await small.restart(3);
    expect(small.at(3).missing()).toEqual([]);
  });

  it("refuses a directory that belongs to another node", async () => {
    const small = await SmallCluster.start();
    small.crash(2, 3);
    const disk = small.cluster.disk(node(2));
    const started = await small.until(loneNode(small, 3, { disk }).start());
    expect(started).toMatchObject({
      ok: false,
      code: "wrong-directory",
      message: "the directory belongs to node n2, not to n3",
    });
  });

  it.each([
    [{ epoch: 0, tag: 1 }, "other-cluster"],
    [{ epoch: 5, tag: 1 }, "not-ready"],
    [{ epoch: -1, tag: 1 }, "stale-epoch"],
  ])("refuses a stranger whose stamp differs by %o: %s", async (difference, code) => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one", { w: 3 }));
    const stranger = small.cluster.network.register(
      "stranger" as PeerAddress,
      new SimClock(small.world),
      () => undefined,
    );
    const own = new Ring(small.at(1).document() as ClusterDocument).stamp;
    const stamp = { epoch: own.epoch + difference.epoch, tag: own.tag ^ difference.tag };
    const replies: unknown[] = [];
    const request = { kind: "read", stamp, bucket: "default", key: utf8("k") } as const;
    stranger.call(address(1), request, small.world.nowMs + 1000, (reply) => replies.push(reply));
    await small.pass(100);
    expect(replies).toMatchObject([{ ok: true, response: { kind: "refused", code } }]);
    expect(small.at(1).statistics().staleEpochs).toBe(1);
  });

  it("answers nothing but announcements before the cluster has formed", async () => {
    const small = new SmallCluster();
    const starting = small.cluster.startNode(node(1));
    await small.pass(200);
    expect(await small.read(1, "k")).toBe("not-ready");
    expect(await small.put(1, "k", "one")).toMatchObject({ code: "not-ready", outcome: "refused" });
    expect(await small.explain(1, "k")).toBeUndefined();
    expect(await small.own(1, "k")).toBe("unknown");
    expect([small.at(1).document(), small.at(1).documentDigest()]).toEqual([undefined, ""]);
    const stopping = small.at(1).stop();
    expect(await small.until(starting)).toMatchObject({ ok: false, code: "not-formed" });
    await small.until(stopping);
  });

  it("starts no second process in a directory", async () => {
    const small = await SmallCluster.start();
    const disk = small.cluster.disk(node(1)).forProcess("second");
    small.cluster.network.crash(address(1));
    const started = await small.until(loneNode(small, 1, { disk }).start());
    expect(started).toMatchObject({ ok: false, code: "locked" });
  });

  it("says so when the first directory it makes does not fit on the disk", async () => {
    const small = new SmallCluster();
    const disk = new SimDisk(small.world, { name: "tiny", capacityBytes: 100 });
    const started = await small.until(loneNode(small, 1, { disk }).start());
    expect(started).toMatchObject({ ok: false, code: "disk-full" });
  });

  it("sees who is reachable", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.cut(address(1), address(3), "refusing");
    expect(small.at(1).peers()).toEqual([
      { id: "n2", isReachable: true, circuit: "closed" },
      { id: "n3", isReachable: false, circuit: "closed" },
    ]);
  });
});
