import type { BucketChange } from "@coterie/core";
import type { Disk } from "@coterie/ports";
import type { SimDisk } from "@coterie/sim";
import { expect, it } from "vitest";
import type { PeerRequest } from "../../src/messages.ts";
import { SmallCluster } from "../small-cluster.ts";
import { storm } from "./storm.ts";

it("whatever fails, there is one history, and nothing acknowledged is lost", async () => {
  let changes = 0;
  let puts = 0;
  for (let seed = 1; seed <= 60; seed += 1) {
    const report = await storm(seed);
    expect({ seed, problems: report.problems }).toEqual({ seed, problems: [] });
    changes += report.changes;
    puts += report.puts;
  }
  expect(changes).toBeGreaterThan(100);
  expect(puts).toBeGreaterThan(50);
}, 60_000);

it("two changes at one node never share a ballot (seed 1383)", async () => {
  expect((await storm(1383)).problems).toEqual([]);
});

/** A voter that never keeps what it promised and accepted. */
function forgetful(disk: Disk): Disk {
  const settleLater = (settle: (outcome: { ok: true; value: undefined }) => void): void =>
    disk.free(() => settle({ ok: true, value: undefined }));
  return new Proxy(disk, {
    get(target, name) {
      if (name === "rename") {
        const rename: Disk["rename"] = (from, to, settle) =>
          to === "cluster-register" ? settleLater(settle) : target.rename(from, to, settle);
        return rename;
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A ballot above all that were promised: voters accept what they promised not to. */
function overbid(request: PeerRequest): PeerRequest {
  if (request.kind !== "accept") return request;
  const { round, proposer } = request.ballot;
  return { ...request, ballot: { round: round + 1000, proposer } };
}

it("is found out when voters do not keep their promises", async () => {
  let found: readonly string[] = [];
  for (let seed = 1; seed <= 300 && found.length === 0; seed += 1) {
    found = (await storm(seed, { corrupt: overbid })).problems;
  }
  expect(found).not.toEqual([]);
}, 60_000);

/** What two changes came to, each made by two of three nodes; the second one was told nothing. */
async function afterAmnesia(wrapDisk: (disk: SimDisk) => Disk): Promise<readonly unknown[]> {
  const small = await SmallCluster.start({ wrapDisk });
  const change = (name: string): BucketChange => ({ intent: "create", name, given: {} });
  small.crash(3);
  void small.at(1).changeBucket(change("one"));
  // The moment in which the first of two knows that both have accepted, and the other does not.
  while (small.at(1).document()?.epoch === 1) await small.pass(0.25);
  expect(small.at(2).document()?.epoch).toBe(1);
  small.crash(1, 2);
  for (const number of [2, 3]) await small.restart(number);
  const changed = await small.until(small.at(3).changeBucket(change("two")));
  return [changed.ok && changed.epoch, small.at(2).document()?.settings.buckets.length];
}

it("keeps a version that was chosen and that no node left has been told of", async () => {
  expect(await afterAmnesia((disk) => disk)).toEqual([3, 4]);
  expect(await afterAmnesia(forgetful)).toEqual([2, 3]);
});
