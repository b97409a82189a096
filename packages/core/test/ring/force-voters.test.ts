import { describe, expect, it } from "vitest";
import type { NodeId } from "../../src/ids.ts";
import type { ClusterDocument } from "../../src/ring/cluster-document.ts";
import { decodeDocument, encodeDocument, placementTag } from "../../src/ring/document-codec.ts";
import {
  forceVoters,
  forcedApart,
  forcedEpochAfter,
  isForced,
  pendingForce,
} from "../../src/ring/force-voters.ts";
import { pauseMoves } from "../../src/ring/pause-moves.ts";
import { replaceDirectory } from "../../src/ring/replace-directory.ts";
import { planTopology } from "../../src/ring/topology.ts";
import { votersOf } from "../../src/ring/voters.ts";
import { documentOf, memberOf, membersOf, modestSettings } from "./members.ts";

const formed = documentOf(modestSettings(4, 2), membersOf(5));
const step = 1_000_000_000;

function forced(document: ClusterDocument, ...left: readonly number[]): ClusterDocument {
  const voters = left.map((number) => memberOf(number).id);
  const made = forceVoters(document, { voters, by: "ann", atMs: 1 });
  if (made === undefined) throw new Error("nobody would vote");
  return made;
}

/** A later version that differs from others of its epoch. */
function later(document: ClusterDocument, steps: number, name: string): ClusterDocument {
  const members = document.members.map((member, at) =>
    at === 0 ? { ...member, zone: name } : member,
  );
  return { ...document, epoch: document.epoch + steps, members };
}

describe("a forced version", () => {
  it("has the voters that are left, and nothing else is changed but its epoch", () => {
    const made = forced(formed, 4, 5);
    expect(made.epoch).toBe(step);
    expect(votersOf(made).map(({ id }) => id)).toEqual(["n04", "n05"]);
    expect(made.owners).toBe(formed.owners);
    expect(placementTag(made)).toBe(placementTag(formed));
    expect(made.forcings).toMatchObject([{ base: 1, lost: ["n01", "n02", "n03"], by: "ann" }]);
    expect([isForced(made), isForced(formed), isForced(later(made, 1, "b"))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("reads back, with all versions made from it; a vote is lost by none other", () => {
    const again = forced(later(forced(formed, 3, 4, 5), 1, "b"), 4);
    const paused = pauseMoves(again, true);
    for (const document of [again, paused]) {
      expect(decodeDocument(encodeDocument(document))).toEqual({ ok: true, document });
    }
    const { forcings: _, ...without } = again;
    expect(decodeDocument(encodeDocument(without))).toMatchObject({ ok: false });
    const { forcings = [] } = again;
    const turned = { ...again, forcings: forcings.toReversed() };
    expect(decodeDocument(encodeDocument(turned))).toMatchObject({ ok: false });
  });

  it("cannot be made without any voter", () => {
    const choice = { voters: ["n09" as NodeId], by: "ann", atMs: 1 };
    expect(forceVoters(formed, choice)).toBeUndefined();
  });

  it("is remembered by the plans that follow, and an empty directory votes again", () => {
    const made = forced(formed, 4, 5);
    const planned = planTopology(made, { remove: [memberOf(1).id] });
    expect(planned.ok && planned.document.forcings).toEqual(made.forcings);
    const { nonce: lost } = memberOf(2);
    const empty = "f".repeat(32);
    const taken = replaceDirectory(made, { id: memberOf(2).id, lost, empty });
    expect(votersOf(taken).map(({ id }) => id)).toEqual(["n02", "n04", "n05"]);
  });

  it.each([
    [1, step],
    [step - 1, step],
    [step, 2 * step],
    [2 * step + 7, 3 * step],
  ])("after epoch %i has epoch %i", (epoch, next) => {
    expect(forcedEpochAfter(epoch)).toBe(next);
  });
});

describe("who may go by what comes after a forced version", () => {
  const base = later(formed, 3, "a");
  const made = forced(base, 4, 5);
  const after = later(made, 2, "c");
  it.each<[string, boolean, ClusterDocument]>([
    ["who goes by an earlier version of the same history", true, later(formed, 2, "a")],
    ["who goes by the one that it was made from", true, base],
    ["who goes by another one of that epoch", false, later(formed, 3, "b")],
    ["who goes by one that came after it without it", false, later(base, 1, "a")],
    ["who goes by another forced one", false, forced(base, 3)],
    ["who goes by what followed it", true, later(made, 1, "c")],
  ])("%s: %o", (_, may, own) => {
    expect(forcedApart(own, after) === undefined).toBe(may);
  });

  it("of two that were forced one after the other both count", () => {
    const twice = forced(after, 5);
    expect(forcedApart(later(base, 1, "a"), twice)).toMatchObject({ epoch: step });
    expect(forcedApart(later(made, 3, "c"), twice)).toMatchObject({ epoch: 2 * step });
    expect(forcedApart(base, twice)).toBeUndefined();
  });

  it("one that was accepted binds whoever goes by what it was made from, or earlier", () => {
    expect(pendingForce(base, made)).toBe(made);
    expect(pendingForce(formed, made)).toBe(made);
    expect(pendingForce(later(base, 1, "a"), made)).toBeUndefined();
    expect(pendingForce(after, made)).toBeUndefined();
    expect(pendingForce(base, later(base, 1, "a"))).toBeUndefined();
  });
});
