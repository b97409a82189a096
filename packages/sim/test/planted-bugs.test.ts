import type { PeerRequest } from "@coterie/cluster";
import { type NodeId, decodeRecord, encodeRecord, utf8 } from "@coterie/core";
import type { Disk } from "@coterie/ports";
import { expect, it } from "vitest";
import { type SimDisk, type SimulationOptions, simulate } from "../src/index.ts";
import { drain, fastTurns } from "./drain.ts";

// A checker counts only if a planted bug makes it fail. Each of these is caught within a few seeds.

const seedsMax = 60;
const turns = fastTurns();

async function caughtBy(planted: NonNullable<SimulationOptions["planted"]>): Promise<Set<string>> {
  const checkers = new Set<string>();
  for (let seed = 1; seed <= seedsMax && checkers.size < 2; seed += 1) {
    try {
      const report = await simulate({ seed, drain, turns, planted });
      for (const { checker } of report.violations) checkers.add(checker);
    } catch {
      checkers.add("no answer after healing");
    }
  }
  return checkers;
}

/** Acknowledges before the bytes are durable: a log without fsync. */
function withoutSync(disk: SimDisk): Disk {
  return new Proxy<Disk>(disk, {
    get: (target, name) => {
      if (name === "sync") {
        const sync: Disk["sync"] = (file, settle) => {
          if (!file.name.startsWith("log-")) return target.sync(file, settle);
          target.size(file, (outcome) => {
            settle(outcome.ok ? { ok: true, value: undefined } : outcome);
          });
        };
        return sync;
      }
      const member = Reflect.get(target, name) as unknown;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** Replicates one sibling of several: a merge that keeps the last writer. */
function onlyOneSibling(request: PeerRequest): PeerRequest {
  if (request.kind !== "merge") return request;
  const decoded = decodeRecord(request.record);
  if (!decoded.ok || decoded.record.siblings.length < 2) return request;
  const siblings = decoded.record.siblings.slice(0, 1);
  return { ...request, record: encodeRecord(decoded, { ...decoded.record, siblings }) };
}

/** Sends tombstones astray: a delete is acknowledged and never happens at the other replicas. */
function misplacedTombstone(request: PeerRequest): PeerRequest {
  if (request.kind !== "merge") return request;
  const decoded = decodeRecord(request.record);
  if (!decoded.ok || decoded.record.siblings.length > 0) return request;
  return { ...request, record: encodeRecord({ ...decoded, key: utf8("?") }, decoded.record) };
}

it("a log without fsync loses acknowledged writes", async () => {
  expect(await caughtBy({ wrapDisk: withoutSync })).toContain("no-lost-write");
}, 60_000);

it("a merge that keeps one sibling loses acknowledged writes", async () => {
  expect(await caughtBy({ corrupt: onlyOneSibling })).toContain("no-lost-write");
}, 60_000);

it("a tombstone that does not arrive makes reads return what was deleted", async () => {
  expect(await caughtBy({ corrupt: misplacedTombstone })).toContain("freshness");
}, 60_000);

/** Sends what members say to somebody else: nobody answers anybody. */
function misaddressed(request: PeerRequest): PeerRequest {
  if (request.kind !== "membership") return request;
  return { ...request, message: { ...request.message, to: "nobody" as NodeId } };
}

it("members that do not hear each other take each other for dead", async () => {
  const { violations } = await simulate({
    seed: 1,
    drain,
    turns,
    planted: { corrupt: misaddressed },
  });
  expect(new Set(violations.map(({ checker }) => checker))).toEqual(
    new Set(["membership-agreement"]),
  );
}, 60_000);

/** Asks for copies under a version of the document that there never was: nobody answers. */
function asUnderAnotherRing(request: PeerRequest): PeerRequest {
  if (request.kind !== "read") return request;
  return { ...request, stamp: { ...request.stamp, tag: request.stamp.tag + 1 } };
}

it("keys that nobody can read end a run by one error, and leave none to the next", async () => {
  const run = simulate({ seed: 1, drain, turns, planted: { corrupt: asUnderAnotherRing } });
  await expect(run).rejects.toThrow("every key can be read from all replicas");
}, 60_000);
