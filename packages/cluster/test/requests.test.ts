import { type WriteId, latin1, limits } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

describe("requests", () => {
  it("behaviour 13: a missing key of one node", async () => {
    const small = await SmallCluster.start({ nodes: 1 });
    expect(await small.read(1, "k")).toEqual([]);
    expect(await small.own(1, "k")).toBe("absent");
  });

  it("behaviour 14: a put without context makes a clock of one entry", async () => {
    const small = await SmallCluster.start({ nodes: 1 });
    successful(await small.put(1, "k", "one"));
    const copy = await small.copy(1, "k");
    expect(copy.state === "present" ? copy.clock.length : 0).toBe(1);
  });

  it("behaviour 15: a put with the context that was read leaves one value", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one"));
    successful(await small.put(2, "k", "two"));
    const read = successful(await small.get(3, "k"));
    expect(read.siblings.map(({ value }) => latin1(value)).toSorted()).toEqual(["one", "two"]);
    const written = successful(await small.put(3, "k", "three", { context: read.context }));
    expect(written.siblings).toBe(1);
    expect(written.context).toBeDefined();
    for (const at of [1, 2, 3]) expect(await small.read(at, "k", { r: 3 })).toEqual(["three"]);
  });

  it("who has no use for a context gets none, whichever way it comes", async () => {
    const small = await SmallCluster.start();
    const choices = { withoutContext: true };
    expect(successful(await small.put(1, "k", "one", choices)).context).toBeUndefined();
    expect(successful(await small.get(1, "k", choices)).context).toBeUndefined();
    const both = await small.until(Promise.all([small.get(2, "k", choices), small.get(2, "k")]));
    expect(both.map((read) => successful(read).context !== undefined)).toEqual([false, true]);
  });

  it("behaviour 16: the stores of two nodes are separate", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
    successful(await small.put(1, "k", "one", { w: 1 }));
    await small.pass(2000);
    expect(await small.own(1, "k")).toEqual(["one"]);
    expect(await small.own(2, "k")).toBe("absent");
  });

  it("behaviour 31: a missing key is no value and no error", async () => {
    const small = await SmallCluster.start();
    const read = successful(await small.get(1, "k"));
    expect(read.siblings).toEqual([]);
    expect(read.context).toBeUndefined();
  });

  it("behaviour 32: a put lands on exactly the n nodes of the preference list", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    for (const key of ["a", "b", "c", "d", "e"]) {
      const { owners, others } = small.owners(key);
      expect([owners.length, others.length]).toEqual([3, 2]);
      for (const at of [...owners, ...others]) successful(await small.put(at, key, `by ${at}`));
      await small.pass(100);
      const all = [1, 2, 3, 4, 5].map((at) => `by ${at}`);
      for (const at of owners) expect(await small.own(at, key)).toEqual(all);
      for (const at of others) expect(await small.own(at, key)).toBe("absent");
    }
  });

  it("behaviour 33: with a preferred node dead a put succeeds at w = 2", async () => {
    const small = await SmallCluster.start();
    small.crash(2);
    const written = successful(await small.put(1, "k", "one"));
    expect(written.acks).toEqual({ primaries: 2, fallbacks: 0, required: 2 });
    expect(await small.own(3, "k")).toEqual(["one"]);
    expect(await small.put(1, "k", "two", { w: 3 })).toMatchObject({ ok: false });
  });

  it("behaviour 34: an overwrite with context leaves only the new value", async () => {
    const small = await SmallCluster.start();
    let { context } = successful(await small.put(1, "k", "v0"));
    for (const at of [2, 3, 1, 2]) {
      ({ context } = successful(await small.put(at, "k", `v${at}`, { context })));
    }
    await small.pass(100);
    for (const at of [1, 2, 3]) expect(await small.own(at, "k")).toEqual(["v2"]);
  });

  it.each([
    [{ r: 0 }, "bad-request"],
    [{ r: 4 }, "bad-request"],
    [{ r: 1.5 }, "bad-request"],
    [{ pr: -1 }, "bad-request"],
    [{ timeoutMs: 60_001 }, "bad-request"],
    [{ timeoutMs: 0 }, "bad-request"],
    [{ bucket: "nowhere" }, "no-such-bucket"],
  ])("refuses a read with %o as %s", async (choices, code) => {
    const small = await SmallCluster.start();
    expect(await small.read(1, "k", choices)).toBe(code);
  });

  it.each([
    [{ w: 0 }, "bad-request"],
    [{ w: 4 }, "bad-request"],
    [{ pw: 4 }, "bad-request"],
    [{ timeoutMs: 1e9 }, "bad-request"],
    [{ bucket: "nowhere" }, "no-such-bucket"],
    [{ context: "bm9uc2Vuc2U" }, "bad-context"],
  ])("refuses a put with %o as %s, and stores nothing", async (choices, code) => {
    const small = await SmallCluster.start();
    const expected = { ok: false, code, outcome: "refused" };
    expect(await small.put(1, "k", "one", choices)).toMatchObject(expected);
    await small.pass(100);
    for (const at of [1, 2, 3]) expect(await small.own(at, "k")).toBe("absent");
  });

  it.each([0, 65_537])("refuses a key of %i bytes", async (length) => {
    const small = await SmallCluster.start();
    expect(await small.read(1, "x".repeat(length))).toBe("bad-request");
  });

  it("needs as many replicas as the greater of r and pr, of w and pw", async () => {
    const small = await SmallCluster.start();
    const put = successful(await small.put(1, "k", "one", { w: 1, pw: 3 }));
    expect(put.acks).toEqual({ primaries: 3, fallbacks: 0, required: 3 });
    const get = successful(await small.get(1, "k", { r: 1, pr: 2 }));
    expect(get.acks).toEqual({ primaries: 2, fallbacks: 0, required: 2 });
    small.crash(2, 3);
    await small.pass(10);
    expect(await small.read(1, "k", { r: 1 })).toEqual(["one"]);
    expect(await small.read(1, "k", { r: 1, pr: 2 })).toMatch(/quorum-not-met|timeout/u);
    expect(successful(await small.put(1, "k", "two", { w: 1 })).acks.primaries).toBe(1);
    expect(await small.put(1, "k", "x", { w: 1, pw: 2 })).toMatchObject({ ok: false });
  });

  it("refuses before anything is done when too few primaries are reachable", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
    expect(await small.put(1, "k", "one")).toMatchObject({
      code: "quorum-not-met",
      outcome: "refused",
    });
    expect(await small.own(1, "k")).toBe("absent");
  });

  it("says unknown, and undoes nothing, when fewer than w acknowledge", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never);
    const begun = small.world.nowMs;
    const outcome = await small.put(1, "k", "one", { timeoutMs: 400 });
    expect(outcome).toMatchObject({ ok: false, code: "timeout", outcome: "unknown" });
    expect(small.world.nowMs - begun).toBe(400);
    small.cluster.network.heal();
    expect(await small.own(1, "k")).toEqual(["one"]);
    expect(await small.read(2, "k", { r: 3 })).toEqual(["one"]);
  });

  it("ends a read at its deadline", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never);
    const begun = small.world.nowMs;
    expect(await small.read(1, "k", { timeoutMs: 250 })).toBe("timeout");
    expect(small.world.nowMs - begun).toBe(250);
  });

  it("goes round a silent replica", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n2"] as never, ["n1", "n3"] as never);
    successful(await small.put(1, "k", "one", { timeoutMs: 100 }));
    for (const at of [1, 3]) expect(await small.read(at, "k", { timeoutMs: 100 })).toEqual(["one"]);
  });

  it("puts only where nothing is with ifAbsent", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one", { ifAbsent: true }));
    expect(await small.put(2, "k", "two", { ifAbsent: true })).toMatchObject({
      code: "precondition-failed",
      outcome: "refused",
    });
    expect(await small.read(3, "k")).toEqual(["one"]);
    successful(await small.delete(3, "k"));
    successful(await small.put(2, "k", "three", { ifAbsent: true }));
    expect(await small.read(1, "k", { r: 3 })).toEqual(["three"]);
  });

  it("lets a create that is repeated succeed again, through another node too", async () => {
    const small = await SmallCluster.start();
    const writeId = "00112233445566778899aabbccddeeff" as WriteId;
    const create = { ifAbsent: true, writeId };
    successful(await small.put(1, "k", "one", create));
    expect(successful(await small.put(2, "k", "one", create))).toMatchObject({ siblings: 1 });
    const other = { ifAbsent: true, writeId: "ffeeddccbbaa99887766554433221100" as WriteId };
    expect(await small.put(3, "k", "two", other)).toMatchObject({ code: "precondition-failed" });
    expect(await small.read(3, "k", { r: 3 })).toEqual(["one"]);
  });

  it("knows a retry whose write was made by a clock set back, and overwritten", async () => {
    const small = await SmallCluster.start();
    const idOf = (at: number): WriteId => at.toString(16).padStart(32, "0") as WriteId;
    // The last of many overwritten writes, of which a record remembers only the latest.
    const writes = 80;
    for (let at = 1; at <= writes; at += 1) {
      const { context } = successful(await small.get(2, "k"));
      if (at === writes) small.cluster.setWall(node(1), -30_000);
      const through = at === writes ? 1 : 2;
      successful(await small.put(through, "k", `v${at}`, { context, writeId: idOf(at) }));
      await small.pass(100);
    }
    const { context } = successful(await small.get(2, "k"));
    successful(await small.put(2, "k", "last", { context, writeId: idOf(writes + 1) }));
    successful(await small.put(3, "k", `v${writes}`, { writeId: idOf(writes) }));
    expect(await small.read(2, "k", { r: 3 })).toEqual(["last"]);
  });

  it("knows a retry of a write that many have overwritten since", async () => {
    const small = await SmallCluster.start();
    const idOf = (at: number): WriteId => at.toString(16).padStart(32, "0") as WriteId;
    const put = async (through: number, at: number): Promise<void> => {
      const { context } = successful(await small.get(through, "k"));
      successful(await small.put(through, "k", `v${at}`, { context, writeId: idOf(at) }));
    };
    // A record remembers the latest 64.
    for (let at = 1; at <= 200; at += 1) await put(1 + (at % 2), at);
    for (const retried of [1, 100]) {
      for (const through of [1, 2, 3]) {
        successful(await small.put(through, "k", "late", { writeId: idOf(retried) }));
        expect(await small.read(2, "k", { r: 3 })).toEqual(["v200"]);
      }
    }
    // A node that has forgotten all takes it for a new write; the others drop that again.
    small.crash(3);
    await small.pass(1000);
    await small.restart(3);
    successful(await small.put(3, "k", "late", { writeId: idOf(50) }));
    await small.pass(1000);
    expect(await small.read(1, "k", { r: 3 })).toEqual(["v200"]);
    await small.pass(1000);
    expect(await small.own(3, "k")).toEqual(["v200"]);
  });

  it("knows a retry of a write that its own node forgot as the key was deleted", async () => {
    const small = await SmallCluster.start({ nodes: 1 });
    const idOf = (at: number): WriteId => at.toString(16).padStart(32, "0") as WriteId;
    // The last of them is alive, and has the first one forgotten as it is deleted.
    for (let at = 1; at <= limits.deadWritesMax + 1; at += 1) {
      const { context } = successful(await small.get(1, "k"));
      successful(await small.put(1, "k", `v${at}`, { context, writeId: idOf(at) }));
    }
    const { context } = successful(await small.get(1, "k"));
    successful(await small.delete(1, "k", { context }));
    successful(await small.put(1, "k", "late", { writeId: idOf(1) }));
    expect(await small.read(1, "k")).toEqual([]);
  });

  it("returns the siblings after a put that asks for them", async () => {
    const small = await SmallCluster.start({ nodes: 4 });
    const { owners, others } = small.owners("k");
    for (const [index, at] of [owners[0], others[0]].entries()) {
      const written = await small.put(at ?? 0, "k", `v${index}`, { returnBody: true });
      const body = successful(written).body ?? [];
      expect(body.map(({ value }) => latin1(value)).at(-1)).toBeDefined();
      expect(body.length).toBe(index + 1);
    }
  });

  it("refuses what exceeds the requests in flight, until some have ended", async () => {
    const small = await SmallCluster.start();
    const begun = Array.from({ length: 1001 }, (_, index) => small.begin(1, `k${index}`, "v"));
    expect(await small.until(begun[1000] ?? Promise.reject(new Error("none")))).toMatchObject({
      code: "overloaded",
      outcome: "refused",
    });
    for (const one of begun.slice(0, 1000)) successful(await small.until(one));
    successful(await small.put(1, "k", "v"));
  });
});

describe("deletes", () => {
  it("read first when they bring no context", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one"));
    const deleted = successful(await small.delete(2, "k"));
    expect(deleted.siblings).toBe(0);
    expect(await small.read(3, "k", { r: 3 })).toEqual([]);
  });

  it("leave what their context does not cover", async () => {
    const small = await SmallCluster.start();
    const { context } = successful(await small.put(1, "k", "one"));
    successful(await small.put(2, "k", "two"));
    expect(successful(await small.delete(3, "k", { context })).siblings).toBe(1);
    expect(await small.read(1, "k", { r: 3 })).toEqual(["two"]);
  });

  it("leave a context with which the key is created anew, without a sibling", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "one"));
    const { context } = successful(await small.delete(2, "k"));
    expect(context).toBeDefined();
    const read = successful(await small.get(3, "k"));
    expect(read.siblings).toEqual([]);
    expect(read.context).toBe(context);
    expect(successful(await small.put(3, "k", "two", { context })).siblings).toBe(1);
    expect(await small.read(1, "k", { r: 3 })).toEqual(["two"]);
  });

  it("of a key that never was do nothing", async () => {
    const small = await SmallCluster.start();
    successful(await small.delete(1, "k"));
    for (const at of [1, 2, 3]) expect(await small.own(at, "k")).toBe("absent");
  });
});

describe("forwarding", () => {
  it("lets every node take every request", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { others } = small.owners("k");
    const [first = 0, second = 0] = others;
    const { context } = successful(await small.put(first, "k", "one"));
    expect(context).toBeDefined();
    expect(await small.read(second, "k")).toEqual(["one"]);
    successful(await small.put(second, "k", "two", { context }));
    expect(await small.read(first, "k", { r: 3 })).toEqual(["two"]);
    successful(await small.delete(first, "k"));
    expect(await small.read(second, "k", { r: 3 })).toEqual([]);
    expect(small.at(first).statistics().forwards).toBe(2);
  });

  it.each(["refusing", "silent"] as const)(
    "goes on to the next primary when the first is %s, and makes no second sibling",
    async (kind) => {
      const small = await SmallCluster.start({ nodes: 5 });
      const { owners, others } = small.owners("k");
      const [at = 0] = others;
      small.cluster.network.cut(`n${at}` as never, `n${owners[0]}` as never, kind);
      const written = successful(await small.put(at, "k", "one"));
      expect(written.siblings).toBe(1);
      small.cluster.network.heal();
      await small.pass(2000);
      expect(await small.read(at, "k", { r: 3 })).toEqual(["one"]);
    },
  );

  it("leaves time for the next primary, however short the deadline", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { owners, others } = small.owners("k");
    const [at = 0] = others;
    small.cluster.network.cut(`n${at}` as never, `n${owners[0]}` as never);
    const outcome = await small.put(at, "k", "one", { timeoutMs: 100 });
    expect(outcome).toMatchObject({ ok: true });
  });

  it("makes no second sibling when the first primary's answer is lost", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { owners, others } = small.owners("k");
    const [at = 0] = others;
    small.cluster.network.cut(`n${owners[0]}` as never, `n${at}` as never);
    expect(successful(await small.put(at, "k", "one")).siblings).toBe(1);
    small.cluster.network.heal();
    await small.pass(2000);
    expect(await small.read(at, "k", { r: 3 })).toEqual(["one"]);
    for (const owner of owners) expect(await small.own(owner, "k")).toEqual(["one"]);
  });

  // What befell a process meanwhile it finds in no certain order: its own timer, or the answer.
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "goes on when a primary says that it got no quorum in the time it was given (seed %i)",
    async (seed) => {
      const small = await SmallCluster.start({ nodes: 5, seed });
      const { owners, others } = small.owners("k");
      const [at = 0] = others;
      const cutOff = address(owners[0] ?? 0);
      const rest = [...owners.slice(1), ...others.slice(1)].map(address);
      small.cluster.network.partition([cutOff], rest, "silent");
      const begun = small.begin(at, "k", "one", { strict: true, timeoutMs: 3000 });
      await small.pass(50);
      small.cluster.pause(node(at));
      await small.pass(400);
      small.cluster.resume(node(at));
      expect(await small.until(begun)).toMatchObject({ ok: true, siblings: 1 });
    },
  );

  it("refuses surely when no primary is reachable", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { owners, others } = small.owners("k");
    const [at = 0] = others;
    for (const owner of owners) {
      small.cluster.network.cut(`n${at}` as never, `n${owner}` as never, "refusing");
    }
    const expected = { ok: false, code: "quorum-not-met", outcome: "refused" };
    expect(await small.put(at, "k", "one", { strict: true })).toMatchObject(expected);
  });

  it("drains forwarded writes before the primary stops", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { owners, others } = small.owners("k");
    const [owner = 0] = owners;
    const begun = small.begin(others[0] ?? 0, "k", "one");
    await small.pass(3);
    const stopped = small.at(owner).stop();
    successful(await small.until(begun));
    await small.until(stopped);
    small.cluster.crash(node(owner), "kill");
    await small.restart(owner);
    expect(await small.read(owner, "k", { r: 3 })).toEqual(["one"]);
  });
});

describe("an lww bucket", () => {
  const redis = { bucket: "redis" } as const;

  it("shows the last value by time, also of concurrent ones", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
    successful(await small.put(1, "k", "early", { ...redis, w: 1 }));
    await small.pass(20);
    successful(await small.put(2, "k", "late", { ...redis, w: 1 }));
    small.cluster.network.heal();
    for (const at of [1, 2, 3])
      expect(await small.read(at, "k", { ...redis, r: 3 })).toEqual(["late"]);
  });

  it("shows all siblings to whoever asks for them, the latest first", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never, "refusing");
    successful(await small.put(1, "k", "early", { ...redis, w: 1 }));
    await small.pass(20);
    successful(await small.put(2, "k", "late", { ...redis, w: 1, ttlMs: 5000 }));
    small.cluster.network.heal();
    const shown = async (): Promise<readonly string[]> => {
      const read = await small.get(3, "k", { ...redis, r: 3, allSiblings: true });
      return successful(read).siblings.map(({ value }) => latin1(value));
    };
    expect(await shown()).toEqual(["late", "early"]);
    await small.pass(6000);
    expect(await small.read(1, "k", redis)).toEqual([]);
    expect(await shown()).toEqual(["early"]);
    const { context } = successful(await small.get(2, "k", { ...redis, allSiblings: true }));
    successful(await small.put(3, "k", "resolved", { ...redis, context }));
    expect(await shown()).toEqual(["resolved"]);
  });

  it("lets a put overwrite what its coordinator sees", async () => {
    const small = await SmallCluster.start();
    for (const value of ["one", "two", "three"]) {
      expect(successful(await small.put(1, "k", value, redis)).siblings).toBe(1);
    }
    await small.pass(50);
    for (const at of [1, 2, 3]) expect(await small.own(at, "k", redis)).toEqual(["three"]);
  });

  it("refuses a clock more than a minute ahead, and reads on without it", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(2, "k", "sane", redis));
    small.cluster.clock(node(1))?.jumpWall(61_000);
    expect(await small.put(1, "k", "ahead", redis)).toMatchObject({
      code: "clock-skew",
      outcome: "unknown",
    });
    for (const at of [2, 3]) {
      expect(await small.own(at, "k", redis)).toEqual(["sane"]);
      expect(await small.read(at, "k", redis)).toEqual(["sane"]);
    }
    small.cluster.clock(node(1))?.jumpWall(-61_000);
    expect(await small.read(1, "k", redis)).toEqual(["sane"]);
    successful(await small.put(3, "k", "next", redis));
    expect(await small.read(3, "k", redis)).toEqual(["next"]);
  });
});

describe("a clean stop", () => {
  it("finishes what is in flight and refuses what is new", async () => {
    const small = await SmallCluster.start();
    const stopped = small.at(1);
    const begun = small.begin(1, "k", "one");
    const stopping = stopped.stop();
    expect(await small.put(1, "x", "two")).toMatchObject({
      code: "shutting-down",
      outcome: "refused",
    });
    successful(await small.until(begun));
    await small.until(stopping);
    expect(stopped.missing()).toEqual(["the node is shutting down"]);
    expect(await small.read(2, "k")).toEqual(["one"]);
  });

  it("makes other nodes go elsewhere from its beginning", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { owners, others } = small.owners("k");
    const [owner = 0] = owners;
    const [at = 0] = others;
    // A disk this slow keeps the node stopping for as long as the test lasts.
    small.cluster.disk(node(owner)).slowdown = 10_000;
    const begun = small.begin(owner, "other", "one", { timeoutMs: 60_000 });
    const stopping = small.at(owner).stop();
    successful(await small.put(at, "k", "one"));
    expect(await small.read(at, "k")).toEqual(["one"]);
    expect(small.at(owner).statistics().peerRequestsServed).toBeGreaterThan(0);
    small.crash(owner);
    await Promise.race([begun, stopping, small.pass(10)]);
  });

  it("may come while the node starts", async () => {
    const small = new SmallCluster();
    const starting = small.cluster.startNode(node(1));
    await small.pass(1);
    const stopping = small.at(1).stop();
    const started = await small.until(starting);
    await small.until(stopping);
    expect(started).toMatchObject({ ok: false, code: "not-formed" });
    expect(small.at(1).missing()).toEqual(["the node is shutting down"]);
  });
});
