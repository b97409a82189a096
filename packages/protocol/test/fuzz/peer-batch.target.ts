import type { Levels } from "@coterie/core";
import type { PeerRequest } from "@coterie/cluster";
import { deepStrictEqual } from "node:assert";
import { OperationBatch, decodeBatch } from "../../src/index.ts";
import { samplesOf } from "./samples.ts";
import { anyRequest } from "../arbitraries.ts";

/** What a peer sends: any bytes are decoded or refused, and what was decoded survives encoding. */
export const seeds: readonly Uint8Array[] = samplesOf(anyRequest).map((request) =>
  encode([{ id: 7, deadline: 1000, request }], 5, {}),
);

export function run(input: Uint8Array): void {
  const decoded = decodeBatch(input);
  if (!decoded.ok) return;
  const whole = decoded.operations.flatMap(({ id, deadline, request }) =>
    request === undefined ? [] : [{ id, deadline, request }],
  );
  const { sentMs, levels, recordBytesMax } = decoded;
  const again = decodeBatch(encode(whole, sentMs, { levels, recordBytesMax }));
  deepStrictEqual(again, { ok: true, sentMs, levels, recordBytesMax, operations: whole });
}

function encode(
  operations: readonly { id: number; deadline: number; request: PeerRequest }[],
  sentMs: number,
  { levels, recordBytesMax }: { levels?: Levels | undefined; recordBytesMax?: number | undefined },
): Uint8Array {
  const batch = new OperationBatch();
  if (levels !== undefined) batch.greet(levels);
  if (recordBytesMax !== undefined) batch.limitAnswers(recordBytesMax);
  for (const { id, deadline, request } of operations) batch.add(id, deadline, request);
  return batch.take(sentMs).slice();
}
