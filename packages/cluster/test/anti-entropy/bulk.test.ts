import { type Token, tokenOf, utf8 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import type { PeerRequest, RepairView } from "../../src/index.ts";
import { tell } from "../hints/tell.ts";
import { SmallCluster, address, successful } from "../small-cluster.ts";

const handoff = { bytesPerSecond: 0, keysMax: 1000 };
const bytesPerSecond = 64 * 1024 * 1024;
const partitions = 8;

interface Apart {
  readonly small: SmallCluster;
  /** Kinds of what nodes ask of each other from then on. */
  readonly kinds: string[];
}

/** Two nodes of which one holds keys that the other one has missed. */
async function apart(keys: number, value: string, rate: number = bytesPerSecond): Promise<Apart> {
  const kinds: string[] = [];
  const small = new SmallCluster({
    nodes: 2,
    partitions,
    handoff,
    antiEntropy: { intervalMs: 0, bytesPerSecond: rate },
    corrupt: (request: PeerRequest) => {
      kinds.push(request.kind);
      return request;
    },
  });
  await small.cluster.start();
  await small.pass(100);
  small.cluster.network.cut(address(1), address(2), "refusing");
  const choices = { w: 1, strict: false, timeoutMs: 300 };
  const puts = Array.from({ length: keys }, (_, at) => small.begin(1, `k-${at}`, value, choices));
  for (const put of puts) successful(await small.until(put));
  small.cluster.network.heal();
  await small.pass(10_000);
  kinds.length = 0;
  return { small, kinds };
}

async function repair(small: SmallCluster, at: number): Promise<RepairView> {
  expect(small.at(at).repair("all")).toMatchObject({ ok: true });
  for (;;) {
    const view = small.at(at).antiEntropy()?.repair;
    if (view !== undefined && view.state !== "running") return view;
    await small.pass(10);
  }
}

function count(kinds: readonly string[], kind: string): number {
  return kinds.filter((each) => each === kind).length;
}

describe("many keys that differ", () => {
  it.each([
    [2, "fetch"],
    [1, "merge-all"],
  ])("go in few messages: n%i asks for a %s", async (at, kind) => {
    const { small, kinds } = await apart(900, "value");
    const { state, keysExchanged } = await repair(small, at);
    expect({ state, keysExchanged }).toEqual({ state: "done", keysExchanged: 900 });
    expect(count(kinds, kind)).toBe(1);
    for (const key of [0, 77, 899]) expect(await small.own(2, `k-${key}`)).toEqual(["value"]);
    expect((await repair(small, at)).keysExchanged).toBe(0);
  });

  it.each([2, 1])("are large, and go in as many messages as they take (n%i)", async (at) => {
    const { small, kinds } = await apart(60, "x".repeat(20_000));
    const { state, keysExchanged } = await repair(small, at);
    expect({ state, keysExchanged }).toEqual({ state: "done", keysExchanged: 60 });
    expect(count(kinds, at === 2 ? "fetch" : "merge-all")).toBeGreaterThan(3);
    expect(await small.own(2, "k-59")).toEqual(["x".repeat(20_000)]);
  });

  it.each([2, 1])("keep to the rate (n%i)", async (at) => {
    const rate = 32 * 1024;
    const { small } = await apart(100, "x".repeat(2000), rate);
    const { state, elapsedMs, bytes } = await repair(small, at);
    expect(state).toBe("done");
    expect(bytes).toBeGreaterThan(200_000);
    // Only what goes at once after a rest comes before its time.
    expect(elapsedMs).toBeGreaterThan((bytes / rate) * 1000 - 1500);
  });

  it.each([2, 1])("are all of them exchanged in the end, whatever happens (n%i)", async (at) => {
    const { small } = await apart(500, "value");
    const repairing = repair(small, at);
    small.cluster.network.cut(address(1), address(2), "silent");
    expect(await repairing).toMatchObject({ state: "failed" });
    small.cluster.network.heal();
    await small.pass(20_000);
    expect(await repair(small, at)).toMatchObject({ state: "done" });
    expect(await small.own(2, "k-499")).toEqual(["value"]);
  });
});

describe("records in bulk", () => {
  it("are answered one by one", async () => {
    const { small } = await apart(2, "value");
    const fetched = await tell(small, 1, {
      kind: "fetch",
      tokens: [tokenAt(0), tokenAt(1), tokenAt(2)],
      bytesMax: 10_000,
    });
    if (fetched.kind !== "fetched") throw new Error(fetched.kind);
    expect(fetched.tokens).toBe(3);
    expect(fetched.records).toHaveLength(2);
    const [first = nothing, second = nothing] = fetched.records;
    const none = { record: new Uint8Array([1, 2, 3]), fence: 0 };
    const request = { kind: "merge-all" as const, records: [first, none, second, first] };
    const outcomes = ["changed", "malformed", "changed", "unchanged"];
    expect(await tell(small, 2, request)).toEqual({ kind: "merged-all", outcomes });
    expect(await small.own(2, "k-1")).toEqual(["value"]);
  });

  it("are refused where too many are asked for", async () => {
    const { small } = await apart(1, "value");
    const tokens = Array.from({ length: 5000 }, () => tokenAt(0));
    expect(await tell(small, 1, { kind: "fetch", tokens, bytesMax: 1 })).toMatchObject({
      code: "too-large",
    });
    const records = Array.from({ length: 5000 }, () => nothing);
    expect(await tell(small, 1, { kind: "merge-all", records })).toMatchObject({
      code: "too-large",
    });
  });
});

const nothing = { record: new Uint8Array(0), fence: 0 };

function tokenAt(index: number): Token {
  return tokenOf({ bucket: "default", key: utf8(`k-${index}`) }, { hash: "md5", partitions });
}
