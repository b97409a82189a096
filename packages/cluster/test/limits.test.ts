import { limits } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { SmallCluster, address, node, successful } from "./small-cluster.ts";

describe("limits", () => {
  it("refuse a value that is too large, at an owner and at every other node", async () => {
    const small = await SmallCluster.start({ nodes: 4 });
    const { owners, others } = small.owners("k");
    for (const at of [owners[0] ?? 0, others[0] ?? 0]) {
      const value = new Uint8Array(limits.valueBytesMax + 1);
      const expected = { code: "too-large", outcome: "refused" };
      expect(await small.put(at, "k", value)).toMatchObject(expected);
    }
  });

  it("refuse puts without context at too many siblings, until somebody resolves them", async () => {
    const small = await SmallCluster.start({ nodes: 4 });
    const { owners, others } = small.owners("k");
    const [at = 0] = owners;
    for (let index = 0; index < limits.siblingsPerKeyMax; index += 1) {
      successful(await small.put(at, "k", `v${index}`));
    }
    for (const asked of [at, others[0] ?? 0]) {
      const expected = { code: "too-many-siblings", outcome: "refused" };
      expect(await small.put(asked, "k", "more")).toMatchObject(expected);
    }
    const read = successful(await small.get(at, "k"));
    expect(read.siblings.length).toBe(limits.siblingsPerKeyMax);
    expect(small.at(at).statistics().siblingWarnings).toBe(1);
    successful(await small.put(at, "k", "resolved", { context: read.context }));
    successful(await small.put(others[0] ?? 0, "k", "beside"));
    expect(await small.read(at, "k", { r: 3 })).toEqual(["beside", "resolved"]);
  });

  it("refuse reads that would bring too many bytes at once, and take them afterwards", async () => {
    const small = await SmallCluster.start();
    // Of 64 MiB in flight, with two copies of each asked for.
    const value = new Uint8Array(7 * 1024 * 1024);
    successful(await small.put(1, "large", value));
    successful(await small.put(1, "small", "v"));
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => small.get(1, "large")));
    const refused = outcomes.filter(({ ok }) => !ok);
    expect(refused).toHaveLength(4);
    for (const each of refused) {
      expect(each).toMatchObject({ code: "overloaded", outcome: "refused" });
    }
    expect(small.at(1).statistics()).toMatchObject({ inFlightBytes: 0, overloads: 4 });
    successful(await small.get(1, "large"));
    expect(await small.read(1, "small")).toEqual(["v"]);
  });

  it("refuse a context of another key, wherever it is checked", async () => {
    const small = await SmallCluster.start({ nodes: 4 });
    const { owners, others } = small.owners("k");
    const { context } = successful(await small.put(1, "other", "one"));
    for (const at of [owners[0] ?? 0, others[0] ?? 0]) {
      const expected = { code: "bad-context", outcome: "refused" };
      expect(await small.put(at, "k", "v", { context })).toMatchObject(expected);
      expect(await small.delete(at, "k", { context })).toMatchObject(expected);
    }
  });
});

describe("write ids", () => {
  const writeId = "0123456789abcdef0123456789abcdef" as never;

  it("make a retry through any node the same write", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    for (const at of [1, 2, 3, 4, 5]) {
      expect(successful(await small.put(at, "k", "one", { writeId })).siblings).toBe(1);
    }
    expect(await small.read(1, "k", { r: 3 })).toEqual(["one"]);
  });

  it("keep a late retry from bringing back what was overwritten", async () => {
    const small = await SmallCluster.start();
    const { context } = successful(await small.put(1, "k", "one", { writeId }));
    successful(await small.put(2, "k", "two", { context }));
    successful(await small.put(3, "k", "one", { writeId }));
    expect(await small.read(1, "k", { r: 3 })).toEqual(["two"]);
  });

  it("make a retry count only once it is on w replicas", async () => {
    const small = await SmallCluster.start();
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never);
    expect(await small.put(1, "k", "one", { writeId })).toMatchObject({ outcome: "unknown" });
    small.cluster.network.heal();
    const retried = successful(await small.put(1, "k", "one", { writeId }));
    expect(retried.acks.primaries).toBe(2);
    await small.pass(100);
    for (const at of [1, 2, 3]) expect(await small.own(at, "k")).toEqual(["one"]);
  });
});

describe("explain", () => {
  it("asks each replica, and says which has none", async () => {
    const small = await SmallCluster.start({ nodes: 4 });
    const { owners, others } = small.owners("k");
    successful(await small.put(owners[0] ?? 0, "k", "one", { w: 3 }));
    small.crash(owners[2] ?? 0);
    const explained = await small.explain(others[0] ?? 0, "k");
    const list = [...owners, ...others].map(node);
    expect(explained?.replicas.map((replica) => replica.node)).toEqual(list);
    const states = explained?.replicas.map(({ role, answer }) => `${role} ${answer.state}`);
    expect(states).toEqual([
      "primary present",
      "primary present",
      "primary unreachable",
      "fallback absent",
    ]);
    expect(explained?.token).toMatch(/^[0-9a-f]{16}$/u);
    const absent = await small.explain(owners[0] ?? 0, "nothing here");
    expect(absent?.replicas.map(({ answer }) => answer.state)).toContain("absent");
    expect(await small.explain(others[0] ?? 0, "k", { bucket: "nowhere" })).toBeUndefined();
  });

  it("shows who stands in for whom now, and what it holds", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { owners } = small.owners("k");
    const [asked = 0, second = 0, away = 0] = owners;
    for (const at of [asked, second]) {
      small.cluster.network.partition([address(away)], [address(at)], "refusing");
    }
    successful(await small.put(asked, "k", "one", { strict: false }));
    await small.pass(100);
    const explained = await small.explain(asked, "k");
    const fallbacks = explained?.replicas.filter(({ role }) => role === "fallback");
    expect(fallbacks).toMatchObject([
      { standsInFor: node(away), answer: { state: "present" } },
      { answer: { state: "absent" } },
    ]);
    expect(fallbacks?.[1]).not.toHaveProperty("standsInFor");
  });
});
