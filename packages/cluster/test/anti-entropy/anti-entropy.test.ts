import { describe, expect, it } from "vitest";
import { SmallCluster, address, successful } from "../small-cluster.ts";

/** What nodes miss stays missed, unless they compare. */
const handoff = { bytesPerSecond: 0, keysMax: 1000 };
const bytesPerSecond = 8 * 1024 * 1024;

async function startedWith(intervalMs: number): Promise<SmallCluster> {
  return SmallCluster.start({ handoff, antiEntropy: { intervalMs, bytesPerSecond } });
}

async function putMany(small: SmallCluster, at: number, count: number): Promise<void> {
  const puts = Array.from({ length: count }, (_, index) =>
    small.begin(at, `key-${index}`, `value-${index}`),
  );
  for (const put of puts) successful(await small.until(put));
}

/** How many of the keys that {@link putMany} wrote all nodes hold alike, without any read. */
async function equalKeys(small: SmallCluster, count: number): Promise<number> {
  let equal = 0;
  for (let index = 0; index < count; index += 1) {
    const found = new Set<string>();
    for (const number of [1, 2, 3]) {
      const copy = await small.copy(number, `key-${index}`);
      found.add(copy.state === "present" ? copy.digest : copy.state);
    }
    if (found.size === 1 && !found.has("absent")) equal += 1;
  }
  return equal;
}

/** n3 has missed the keys. */
async function differing(small: SmallCluster, keys: number): Promise<void> {
  await small.pass(100);
  small.cluster.network.cut(address(1), address(3), "refusing");
  small.cluster.network.cut(address(2), address(3), "refusing");
  await putMany(small, 1, keys);
  await small.pass(100);
  small.cluster.network.heal();
}

async function untilRepaired(small: SmallCluster, at: number): Promise<void> {
  while (small.at(at).antiEntropy()?.repair?.state === "running") await small.pass(50);
}

describe("replicas that compare", () => {
  it("hold the same after a while, without any read or handoff", async () => {
    const small = await startedWith(2000);
    await differing(small, 60);
    while ((await equalKeys(small, 60)) < 60) await small.pass(500);
    expect(await equalKeys(small, 60)).toBe(60);
  });

  it("say how long ago the oldest partition was compared with all others", async () => {
    const small = await startedWith(2000);
    await small.pass(10_000);
    expect(small.at(1).antiEntropy()?.lagMs).toBeLessThan(5000);
    small.crash(3);
    await small.pass(10_000);
    const view = small.at(1).antiEntropy();
    expect(view?.lagMs).toBeGreaterThan(10_000);
    expect(view?.oldest).toMatchObject({ peer: "n3" });
    expect(view?.peers).toMatchObject([
      { peer: "n2", problem: undefined },
      { peer: "n3", problem: "unreachable" },
    ]);
    await small.restart(3);
    await small.pass(5000);
    expect(small.at(1).antiEntropy()?.lagMs).toBeLessThan(5000);
  });

  it("do not while it is off", async () => {
    const small = await startedWith(0);
    await differing(small, 20);
    await small.pass(120_000);
    expect(await equalKeys(small, 20)).toBe(0);
    expect(small.at(3).antiEntropy()?.counts.completed).toBe(0);
  });
});

describe("a repair", () => {
  it("makes copies equal, in either direction, and tells what it did", async () => {
    const small = await startedWith(0);
    await differing(small, 60);
    expect(small.at(3).repair("all")).toMatchObject({
      ok: true,
      number: 1,
      partitions: 8,
      peers: 2,
    });
    expect(small.at(3).repair("all")).toMatchObject({ ok: false, code: "busy" });
    await untilRepaired(small, 3);
    expect(await equalKeys(small, 60)).toBe(60);
    const { repair } = small.at(3).antiEntropy() ?? {};
    expect(repair).toMatchObject({ state: "done", partitions: 8, partitionsDone: 8, failures: [] });
    expect(repair?.keysExchanged).toBe(60);
    // n1 holds what n3 does not: that too is repaired.
    small.cluster.network.cut(address(1), address(3), "refusing");
    successful(await small.put(1, "key-0", "newer"));
    small.cluster.network.heal();
    expect(small.at(1).repair("all")).toMatchObject({ ok: true });
    await untilRepaired(small, 1);
    expect(await small.own(3, "key-0")).toEqual(["newer", "value-0"]);
  });

  it("of one partition leaves the others as they are", async () => {
    const small = await startedWith(0);
    await differing(small, 60);
    expect(small.at(3).repair([3])).toMatchObject({ ok: true, number: 1, partitions: 1, peers: 2 });
    await untilRepaired(small, 3);
    const equal = await equalKeys(small, 60);
    expect(equal).toBeGreaterThan(0);
    expect(equal).toBeLessThan(30);
  });

  it("of what the node does not own is refused", async () => {
    const small = await startedWith(0);
    expect(small.at(3).repair([3, 8])).toMatchObject({ ok: false, code: "not-owner" });
  });

  it("names those that it could not reach", async () => {
    const small = await startedWith(0);
    await differing(small, 10);
    small.crash(2);
    small.at(3).repair("all");
    await untilRepaired(small, 3);
    expect(small.at(3).antiEntropy()?.repair).toMatchObject({
      state: "failed",
      partitionsDone: 0,
      // As its machine died silently, or refuses.
      failures: [
        { peer: "n2", partitions: 8, problem: expect.stringMatching(/^(unreachable|timeout)$/u) },
      ],
    });
    expect(await small.own(3, "key-0")).toEqual(["value-0"]);
  });
});
