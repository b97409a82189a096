import type { Levels } from "@coterie/core";
import { deepStrictEqual } from "node:assert";
import { type DecodedResult, ResultBatch, decodeAck } from "../../src/index.ts";
import { anyResponse } from "../arbitraries.ts";
import { samplesOf } from "./samples.ts";

/** What a peer answers: as with its batches. */
export const seeds: readonly Uint8Array[] = samplesOf(anyResponse).map((response) =>
  encode([{ id: 7, response }], undefined),
);

export function run(input: Uint8Array): void {
  const decoded = decodeAck(input);
  if (!decoded.ok) return;
  const understood = decoded.results.filter(({ response }) => response !== undefined);
  const { levels } = decoded;
  const again = decodeAck(encode(understood, levels));
  deepStrictEqual(again, { ok: true, results: understood, levels });
}

function encode(results: readonly DecodedResult[], levels: Levels | undefined): Uint8Array {
  const ack = new ResultBatch();
  if (levels !== undefined) ack.greet(levels);
  for (const { id, response } of results) {
    if (response !== undefined) ack.add(id, response);
  }
  return ack.take().slice();
}
