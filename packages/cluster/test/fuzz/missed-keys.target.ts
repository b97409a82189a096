import { deepStrictEqual, ok } from "node:assert/strict";
import type { NodeId } from "@coterie/core";
import { decodeOwed, encodeOwed } from "../../src/handoff/owed-codec.ts";

const partitionsMax = 1024;

/** The file of what a node owes, which a disk may have damaged. */
export const seeds: readonly Uint8Array[] = [
  new Map<NodeId, number[]>(),
  new Map([["n1" as NodeId, [0, 1, 2, 1023]]]),
  new Map([
    ["n1" as NodeId, []],
    ["node-2.example" as NodeId, [500]],
  ]),
].map(encodeOwed);

export function run(input: Uint8Array): void {
  const decoded = decodeOwed(input, partitionsMax);
  if (!decoded.ok) return;
  deepStrictEqual(decodeOwed(encodeOwed(decoded.owed), partitionsMax), decoded);
  for (const partitions of decoded.owed.values()) {
    ok(partitions.every((each, index) => each > (partitions[index - 1] ?? -1)));
    ok(partitions.every((each) => each < partitionsMax));
  }
}
