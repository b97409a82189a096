import { deepStrictEqual, ok } from "node:assert/strict";
import { decodeFences, encodeFences } from "../../src/reaping/fence-codec.ts";

const partitions = 4;

/** The file of a node's fences, which a disk may have damaged. */
export const seeds: readonly Uint8Array[] = [
  Array.from({ length: partitions }, () => ({ raised: 0, reaped: 0 })),
  Array.from({ length: partitions }, (_, at) => ({ raised: at * 1000, reaped: at * 300 })),
].map(encodeFences);

export function run(input: Uint8Array): void {
  const decoded = decodeFences(input, partitions);
  if (!decoded.ok) return;
  deepStrictEqual(decodeFences(encodeFences(decoded.fences), partitions), decoded);
  ok(decoded.fences.length === partitions);
  ok(decoded.fences.every(({ raised, reaped }) => reaped <= raised));
}
