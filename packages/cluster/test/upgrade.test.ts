import { type Levels, type NodeId, levelOf } from "@coterie/core";
import { expect, it } from "vitest";
import type { FinalizeOutcome } from "../src/index.ts";
import { SmallCluster, node, successful } from "./small-cluster.ts";

const older: Levels = { min: 1, max: 1 };
const newer: Levels = { min: 1, max: 2 };

/** Three nodes of which the named ones run the newer build; others do when they are restarted. */
async function mixed(
  ...upgraded: readonly number[]
): Promise<{ readonly small: SmallCluster; readonly builds: Map<NodeId, Levels> }> {
  const builds = new Map(upgraded.map((number) => [node(number), newer]));
  const levels = (id: NodeId): Levels => builds.get(id) ?? older;
  return { small: await SmallCluster.start({ levels }), builds };
}

function finalize(small: SmallCluster, at: number): Promise<FinalizeOutcome | undefined> {
  return small.until(small.at(at).topology()?.upgrade.finalize() ?? Promise.resolve(undefined));
}

function levelAt(small: SmallCluster, at: number): number {
  const document = small.at(at).document();
  return document === undefined ? 0 : levelOf(document);
}

it("the level is raised once all members speak it, and all go by it", async () => {
  const { small, builds } = await mixed(1, 2);
  successful(await small.put(1, "k", "before", { w: 3 }));
  const refused = await finalize(small, 1);
  expect(refused).toMatchObject({ ok: false, code: "older-member", outcome: "refused" });
  expect((refused as { readonly message: string }).message).toContain("n3 level 1");
  await small.stop(3);
  builds.set(node(3), newer);
  await small.restart(3);
  expect(await finalize(small, 2)).toMatchObject({ ok: true, level: 2 });
  expect([1, 2, 3].map((at) => levelAt(small, at))).toEqual([2, 2, 2]);
  // Placement is the same, and requests under the version before are taken.
  expect(await small.read(3, "k", { r: 3 })).toEqual(["before"]);
  // A later change of the document keeps it, and raising it again changes nothing.
  const { epoch } = small.at(1).document() ?? { epoch: 0 };
  expect(await finalize(small, 3)).toEqual({ ok: true, level: 2, epoch });
});

it("a member that does not answer is waited for: it may be an older one", async () => {
  const { small } = await mixed(1, 2, 3);
  await small.stop(3);
  const refused = await finalize(small, 1);
  expect(refused).toMatchObject({ ok: false, code: "older-member" });
  expect((refused as { readonly message: string }).message).toContain("n3 did not say");
  expect(levelAt(small, 1)).toBe(1);
});

it("an older build is refused once the cluster of its directory went on; before, not", async () => {
  const { small, builds } = await mixed(1, 2, 3);
  await small.stop(2);
  builds.set(node(2), older);
  await small.restart(2);
  await small.stop(2);
  builds.set(node(2), newer);
  await small.restart(2);
  expect(await finalize(small, 1)).toMatchObject({ ok: true });
  await small.stop(2);
  builds.set(node(2), older);
  const outcome = await small.until(small.cluster.startNode(node(2)));
  expect(outcome).toMatchObject({ ok: false, code: "wrong-directory" });
  expect((outcome as { readonly message: string }).message).toContain("goes by level 2");
});
