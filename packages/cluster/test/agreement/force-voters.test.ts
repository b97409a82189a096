import type { GivenBucket } from "@coterie/core";
import { describe, expect, it } from "vitest";
import type { ForcingOrder, ForcingOutcome } from "../../src/index.ts";
import { SmallCluster, address, node, successful } from "../small-cluster.ts";

const forcedEpoch = 1_000_000_000;

function create(small: SmallCluster, at: number, name: string, given: GivenBucket = {}) {
  return small.until(small.at(at).changeBucket({ intent: "create", name, given }));
}

function force(
  small: SmallCluster,
  at: number,
  left: readonly number[],
  given: Partial<ForcingOrder> = {},
): Promise<ForcingOutcome> {
  const lost = [1, 2, 3, 4, 5].filter((number) => !left.includes(number)).map(node);
  const order = { voters: left.map(node), confirm: lost.join(" "), by: "ann", ...given };
  const topology = small.at(at).topology();
  if (topology === undefined) throw new Error(`n${at} has not formed`);
  return small.until(topology.forceVoters(order));
}

async function withThreeDown(seed = 1): Promise<SmallCluster> {
  const small = await SmallCluster.start({ nodes: 5, seed });
  small.crash(1, 2, 3);
  await small.pass(20_000);
  return small;
}

/** What each of them goes by, or why it ended. */
function versions(small: SmallCluster, ...numbers: readonly number[]): readonly unknown[] {
  return numbers.map((number) => {
    const ended = small.cluster.fatal.find(({ node: id }) => id === node(number));
    return ended === undefined ? small.at(number).document()?.epoch : "ended";
  });
}

describe("voters that are gone for ever are given up", () => {
  it("and those that are left change the cluster again", async () => {
    const small = await withThreeDown();
    expect(await create(small, 4, "carts")).toMatchObject({ ok: false, code: "no-majority" });
    const forced = await force(small, 4, [4, 5]);
    expect(forced).toEqual({ ok: true, epoch: forcedEpoch, lost: ["n1", "n2", "n3"] });
    expect(await create(small, 5, "carts")).toMatchObject({ ok: true, epoch: forcedEpoch + 1 });
    expect(versions(small, 4, 5)).toEqual([forcedEpoch + 1, forcedEpoch + 1]);
    const view = small.at(5).topology()?.view();
    expect(view?.forcings).toMatchObject([
      { base: 1, epoch: forcedEpoch, by: "ann", voters: ["n4", "n5"], lost: ["n1", "n2", "n3"] },
    ]);
    const votes = view?.members.map(({ vote }) => vote);
    expect(votes).toEqual(["forfeited", "forfeited", "forfeited", "yes", "yes"]);
    const told = small.cluster.events.filter(({ event }) => event.kind === "voters-forced");
    expect(told.map(({ node: id }) => id).toSorted()).toEqual(["n4", "n5"]);
  });

  it("but not without the names of the lost, nor without all that are left", async () => {
    const small = await withThreeDown();
    const refusals = [
      [[4, 5], { confirm: "yes" }, 'confirm it with just these names, "n1 n2 n3"'],
      [[4], {}, "n5 votes and answers"],
      [[3, 4, 5], {}, "n3 does not answer"],
      [[4, 5, 6], {}, "n6 has no vote now"],
    ] as const;
    for (const [left, given, why] of refusals) {
      const refused = await force(small, 4, left, given);
      expect(refused).toMatchObject({ ok: false, code: "bad-request", outcome: "refused" });
      expect(refused.ok ? "" : refused.message).toContain(why);
    }
    expect(versions(small, 4, 5)).toEqual([1, 1]);
  });

  it("but not while a majority answers", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    small.crash(1, 2);
    await small.pass(20_000);
    const refused = await force(small, 4, [4, 5]);
    expect(refused.ok ? "" : refused.message).toContain("3 of 5 voters answer (n3, n4, n5)");
  });

  it("twice, where more are lost afterwards", async () => {
    const small = await withThreeDown();
    successful(await force(small, 4, [4, 5]));
    small.crash(5);
    await small.pass(20_000);
    const forced = await force(small, 4, [4], { confirm: "n5" });
    expect(forced).toEqual({ ok: true, epoch: 2 * forcedEpoch, lost: ["n5"] });
    successful(await create(small, 4, "carts"));
    await small.restart(5);
    await small.pass(5000);
    expect(versions(small, 4, 5)).toEqual([2 * forcedEpoch + 1, 2 * forcedEpoch + 1]);
  });
});

describe("voters that were given up and come back", () => {
  it("go by what the others have agreed on, and have no vote in it", async () => {
    const small = await withThreeDown();
    successful(await force(small, 4, [4, 5]));
    for (const number of [1, 2, 3]) await small.restart(number);
    await small.pass(5000);
    expect(versions(small, 1, 2, 3)).toEqual([forcedEpoch, forcedEpoch, forcedEpoch]);
    small.crash(4, 5);
    await small.pass(20_000);
    expect(await create(small, 1, "carts")).toMatchObject({ ok: false, code: "no-majority" });
    successful(await small.put(1, "k", "v", { w: 1, strict: false }));
  });

  it("get a vote again with an empty directory", async () => {
    const small = await withThreeDown();
    successful(await force(small, 4, [4, 5]));
    small.cluster.replaceDisk(node(3), new Map());
    await small.restart(3);
    await small.pass(5000);
    const votes = small
      .at(4)
      .topology()
      ?.view()
      .members.map(({ vote }) => vote);
    expect(votes).toEqual(["forfeited", "forfeited", "yes", "yes", "yes"]);
  });

  it("end if they have agreed on something else meanwhile, and keep what they have", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { network } = small.cluster;
    network.partition([1, 2, 3].map(address), [4, 5].map(address), "silent");
    await small.pass(20_000);
    expect(await create(small, 1, "theirs")).toMatchObject({ ok: true, epoch: 2 });
    successful(await force(small, 4, [4, 5]));
    expect(await create(small, 5, "ours")).toMatchObject({ ok: true, epoch: forcedEpoch + 1 });
    network.heal();
    await small.pass(60_000);
    const last = forcedEpoch + 1;
    expect(versions(small, 1, 2, 3, 4, 5)).toEqual(["ended", "ended", "ended", last, last]);
    expect(small.cluster.fatal[0]?.reason).toContain("ann had n4, n5 go on from version 1");
    expect(
      small
        .at(4)
        .document()
        ?.settings.buckets.map(({ name }) => name),
    ).toContain("ours");
    const started = await small.until(small.cluster.startNode(node(1)));
    expect(started).toMatchObject({ ok: false, code: "wrong-directory" });
  });
});

/** All that run go by one version; and who was told that a change was made finds it made. */
async function expectOneHistory(small: SmallCluster, what: string): Promise<void> {
  await small.pass(90_000);
  const running = [1, 2, 3, 4, 5].filter((number) => small.cluster.node(node(number)));
  const digests = new Set(running.map((number) => small.at(number).documentDigest()));
  expect([what, digests.size]).toEqual([what, 1]);
  for (const number of [4, 5]) expect([what, running.includes(number)]).toEqual([what, true]);
}

describe("one history is left", () => {
  it("wherever the node that is asked crashes, and whoever comes back meanwhile", async () => {
    let forced = 0;
    for (let seed = 1; seed <= 16; seed += 1) {
      const small = await withThreeDown(seed);
      const order = { voters: [4, 5].map(node), confirm: "n1 n2 n3", by: "ann" };
      void small.at(4).topology()?.forceVoters(order);
      await small.pass(seed % 20);
      small.crash(seed % 3 === 0 ? 5 : 4);
      if (seed % 2 === 0) for (const number of [1, 2, 3]) await small.restart(number);
      await small.pass(seed * 37);
      await small.restart(seed % 3 === 0 ? 5 : 4);
      await expectOneHistory(small, `seed ${seed}`);
      const { epoch } = small.at(4).document() ?? { epoch: 0 };
      if (epoch >= forcedEpoch) forced += 1;
      successful(
        epoch < forcedEpoch && seed % 2 === 1
          ? await force(small, 4, [4, 5])
          : await create(small, 4, "carts"),
      );
    }
    expect(forced).toBeGreaterThan(0);
    expect(forced).toBeLessThan(16);
  });

  it("where a version had been begun that is perhaps chosen", async () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const small = await SmallCluster.start({ nodes: 5, seed });
      const created = small.at(1).changeBucket({ intent: "create", name: "carts", given: {} });
      let isMade = false;
      void created.then(({ ok }) => {
        isMade = ok;
      });
      await small.pass(seed);
      small.crash(1, 2, 3);
      await small.pass(20_000);
      successful(await force(small, 4, [4, 5]));
      await expectOneHistory(small, `seed ${seed}`);
      const names =
        small
          .at(5)
          .document()
          ?.settings.buckets.map(({ name }) => name) ?? [];
      expect([seed, !isMade || names.includes("carts")]).toEqual([seed, true]);
    }
  });
});
