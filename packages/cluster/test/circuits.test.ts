import { describe, expect, it } from "vitest";
import { SmallCluster, address, successful } from "./small-cluster.ts";

/** A second more than a silent peer is found out in. */
const noticedMs = 2200;

async function cutOff(): Promise<SmallCluster> {
  const small = await SmallCluster.start({
    tuning: { hedgeAfterMs: 30, forwardAttemptMs: 300, timeoutMsDefault: 2000 },
  });
  successful(await small.put(1, "k", "v", { w: 3 }));
  small.cluster.network.partition([address(1)], [address(2), address(3)]);
  return small;
}

describe("a node cut off from the majority", () => {
  it("refuses strict requests at once, without having been asked before", async () => {
    const small = await cutOff();
    // Members suspect each other; only then are circuits looked at.
    await small.pass(8000);
    const since = small.world.nowMs;
    const put = await small.put(1, "k", "other", { strict: true });
    expect(put).toMatchObject({ ok: false, code: "quorum-not-met", outcome: "refused" });
    const got = await small.get(1, "k", { strict: true });
    expect(got).toMatchObject({ ok: false, code: "quorum-not-met", outcome: "refused" });
    expect(small.world.nowMs - since).toBeLessThan(20);
    expect(
      small
        .at(1)
        .peers()
        .map(({ isReachable }) => isReachable),
    ).toEqual([false, false]);
  });

  it("gives up requests under way as soon as it knows, and the next ones before", async () => {
    const small = await cutOff();
    const since = small.world.nowMs;
    const first = await small.put(1, "k", "first", { strict: true });
    expect(first).toMatchObject({ ok: false, code: "quorum-not-met", outcome: "unknown" });
    const took = small.world.nowMs - since;
    expect(took).toBeGreaterThan(1000);
    expect(took).toBeLessThan(1500);
    const next = await small.put(1, "k", "next", { strict: true });
    expect(next).toMatchObject({ ok: false, code: "quorum-not-met", outcome: "refused" });
    expect(small.world.nowMs - since - took).toBeLessThan(20);
    expect(small.at(1).statistics().circuits).toMatchObject({ opened: 2 });
  });

  it("serves again within a second when the cut is healed, idle or not", async () => {
    const small = await cutOff();
    await small.pass(20_000);
    small.cluster.network.heal();
    await small.pass(1000);
    const put = await small.put(1, "k", "v", { strict: true, w: 3 });
    expect(put).toMatchObject({ ok: true, acks: { primaries: 3 } });
  });
});

describe("one peer that stands still", () => {
  it("is no reason for the others to refuse, nor to wait for it", async () => {
    const small = await cutOff();
    small.cluster.network.heal();
    small.cluster.network.partition([address(2)], [address(1), address(3)]);
    for (let at = 0; at < 30; at += 1) {
      successful(await small.put(1, `k${at}`, "v", { strict: true }));
      await small.pass(noticedMs / 30);
    }
    const { circuits } = small.at(1).statistics();
    expect(circuits).toMatchObject({ opened: 1 });
    expect(circuits?.refused).toBeGreaterThan(0);
  });

  it("is not taken for silent while it is merely slow", async () => {
    const small = await cutOff();
    small.cluster.network.heal();
    small.cluster.network.slow(address(2), 200);
    for (let at = 0; at < 10; at += 1) await small.put(1, `k${at}`, "v", { w: 3 });
    expect(small.at(1).statistics().circuits).toMatchObject({ opened: 0 });
  });
});
