import { type BucketSettings, Ring, defaultBuckets, tokenOf, utf8 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import type { PeerRequest, RepairView } from "../../src/index.ts";
import { SmallCluster, address, successful } from "../small-cluster.ts";

const handoff = { bytesPerSecond: 0, keysMax: 1000 };
const antiEntropy = { intervalMs: 0, bytesPerSecond: 8 * 1024 * 1024 };
const asked = new Set(["compare", "look", "fetch", "merge", "merge-all"]);

interface Watched {
  readonly small: SmallCluster;
  /** What nodes have asked each other of the kinds above, since it was last emptied. */
  readonly requests: PeerRequest[];
}

/** Two nodes that hold the same keys. */
async function twoAlike(
  { partitions, keys }: { readonly partitions: number; readonly keys: number },
  onRequest: (small: SmallCluster, request: PeerRequest) => void = () => undefined,
): Promise<Watched> {
  const requests: PeerRequest[] = [];
  const small: SmallCluster = new SmallCluster({
    nodes: 2,
    partitions,
    handoff,
    antiEntropy,
    corrupt: (request) => {
      if (asked.has(request.kind)) requests.push(request);
      onRequest(small, request);
      return request;
    },
  });
  await small.cluster.start();
  await small.pass(100);
  const puts = Array.from({ length: keys }, (_, index) => small.begin(1, `key-${index}`, "value"));
  for (const put of puts) successful(await small.until(put));
  await small.pass(500);
  requests.length = 0;
  return { small, requests };
}

/** A write of which the other one hears nothing. */
async function putAlone(small: SmallCluster, at: number, key: string): Promise<void> {
  small.cluster.network.cut(address(at), address(3 - at), "refusing");
  const choices = { w: 1, strict: false, timeoutMs: 300 };
  successful(await small.put(at, key, "newer", choices));
  await small.pass(500);
  small.cluster.network.heal();
}

async function repair(small: SmallCluster, at: number): Promise<RepairView> {
  expect(small.at(at).repair("all")).toMatchObject({ ok: true });
  for (;;) {
    const view = small.at(at).antiEntropy()?.repair;
    if (view !== undefined && view.state !== "running") return view;
    await small.pass(10);
  }
}

function kindsOf(requests: readonly PeerRequest[]): readonly string[] {
  return requests.map(({ kind }) => kind);
}

describe.each([1, 64, 1024])("an exchange over %i partitions", (partitions) => {
  it("takes one question where nothing differs, and reads no record", async () => {
    const { small, requests } = await twoAlike({ partitions, keys: 500 });
    const reads = (): number | undefined => small.at(1).statistics().store?.readsFromDisk;
    const before = reads();
    const { state, keysExchanged, bytes } = await repair(small, 2);
    expect({ state, keysExchanged }).toEqual({ state: "done", keysExchanged: 0 });
    expect(kindsOf(requests)).toEqual(["compare"]);
    expect(bytes).toBeLessThan(200);
    expect(reads()).toBe(before);
  });

  it.each([1, 2])("finds the one key that n%i holds otherwise in six questions", async (at) => {
    const { small, requests } = await twoAlike({ partitions, keys: 500 });
    await putAlone(small, at, "key-77");
    requests.length = 0;
    const { keysExchanged, bytes } = await repair(small, 2);
    expect(keysExchanged).toBe(1);
    expect(await small.own(3 - at, "key-77")).toEqual(["newer", "value"]);
    expect(requests.length).toBeLessThanOrEqual(6);
    expect(bytes).toBeLessThan(4096);
  });
});

describe("an exchange", () => {
  it("leaves alone what differed for a moment only", async () => {
    let late: Uint8Array | undefined;
    const { small, requests } = await twoAlike({ partitions: 8, keys: 50 }, (cluster, request) => {
      if (request.kind === "merge") late = request.record;
      // What was under way arrives just then.
      if (request.kind !== "look" || late === undefined) return;
      const { stamp } = request;
      cluster
        .at(2)
        .receive({ kind: "merge", fence: 0, stamp, record: late }, Infinity, () => undefined);
    });
    await putAlone(small, 1, "key-3");
    requests.length = 0;
    const { state, keysExchanged } = await repair(small, 2);
    expect({ state, keysExchanged }).toEqual({ state: "done", keysExchanged: 0 });
    expect(kindsOf(requests)).not.toContain("fetch");
    expect(await small.own(2, "key-3")).toEqual(["newer", "value"]);
  });

  it("goes by what both are to hold: buckets differ in their copies", async () => {
    const [usual] = defaultBuckets(3) as [BucketSettings];
    const of = (n: number): BucketSettings => ({ ...usual, name: `of-${n}`, n, r: 1, w: 1 });
    const buckets = [1, 2, 3, 4].map(of).map((each) => ({ ...each, allowStale: true }));
    const small = await SmallCluster.start({ nodes: 5, buckets, handoff, antiEntropy });
    await small.pass(100);
    // Of some keys only one copy is written.
    small.cluster.network.cut(address(1), address(2), "refusing");
    small.cluster.network.cut(address(3), address(4), "refusing");
    for (const { name: bucket } of buckets) {
      for (let index = 0; index < 40; index += 1) {
        successful(await small.put(5, `key-${index}`, "x", { bucket, w: 1, timeoutMs: 900 }));
      }
    }
    await small.pass(1000);
    small.cluster.network.heal();
    // Until nobody is held for unreachable any more.
    await small.pass(10_000);
    for (let at = 1; at <= 5; at += 1)
      expect(await repair(small, at)).toMatchObject({ state: "done" });
    const document = small.at(1).document();
    if (document === undefined) throw new Error("the cluster has not formed");
    const ring = new Ring(document);
    for (const { name: bucket, n } of buckets) {
      for (let index = 0; index < 40; index += 1) {
        const key = `key-${index}`;
        const token = tokenOf({ bucket, key: utf8(key) }, document.settings);
        const expected = ring
          .preferenceList(token, n)
          .primaries.map(({ id }) => Number(id.slice(1)));
        const held: number[] = [];
        for (let at = 1; at <= 5; at += 1) {
          if ((await small.own(at, key, { bucket })) !== "absent") held.push(at);
        }
        expect({ bucket, key, held }).toEqual({
          bucket,
          key,
          held: expected.toSorted((a, b) => a - b),
        });
      }
    }
    for (let at = 1; at <= 5; at += 1) expect((await repair(small, at)).keysExchanged).toBe(0);
  });
});
