import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import {
  DeadWrites,
  type ActorId,
  Ring,
  VersionVector,
  encodeRecord,
  hybridTimeZero,
  tokenOf,
  utf8,
} from "@coterie/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster, documentedMetrics } from "./metered-cluster.ts";
import { movedBetween } from "./scrape.ts";

const documented = documentedMetrics("coterie_hints_");
const cluster = new MeteredCluster(2, () => ({ hintBytesMax: 4096 }));

/** A key of which the second node has the only copy, with a value of so many bytes. */
function hintOf(bytes: number): PeerRequest {
  const document = cluster.first.node.document();
  if (document === undefined) throw new Error("the cluster has not formed");
  const ring = new Ring(document);
  const actor = "00000000000000aa" as ActorId;
  for (let number = 0; ; number += 1) {
    const key = { bucket: "default", key: utf8(`key-${number}`) };
    const { primaries } = ring.preferenceList(tokenOf(key, document.settings), 1);
    const [primary] = primaries;
    if (primary === undefined || primary.address !== cluster.addresses[1]) continue;
    const dot = { actor, counter: 1 };
    const sibling = {
      dots: [dot],
      value: new Uint8Array(bytes),
      contentType: "",
      writtenAt: hybridTimeZero,
      writeId: undefined,
      expiresAtMs: undefined,
    };
    const clock = VersionVector.of([dot]);
    const record = encodeRecord(key, { clock, siblings: [sibling], deadWrites: DeadWrites.none });
    return { kind: "hint", fence: 0, stamp: ring.stamp, target: primary.id, record };
  }
}

function hold(bytes: number): Promise<PeerResponse> {
  return new Promise((resolve) => {
    cluster.first.node.receive(hintOf(bytes), Number.MAX_SAFE_INTEGER, resolve);
  });
}

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

it("every metric of hints moves when what it counts happens", async () => {
  // From now on nothing is delivered.
  for (const address of cluster.addresses) cluster.away.add(address);
  const before = await cluster.scrape();
  expect(await hold(1000)).toEqual({ kind: "merged", changed: true });
  const held = await cluster.scrape();
  expect(await hold(5000)).toMatchObject({ kind: "refused", code: "hints-full" });
  const after = await cluster.scrape();
  const moved = new Set([...movedBetween(before, held), ...movedBetween(held, after)]);
  expect(documented.length).toBeGreaterThan(2);
  expect(documented.filter((name) => !moved.has(name))).toEqual([]);
});
