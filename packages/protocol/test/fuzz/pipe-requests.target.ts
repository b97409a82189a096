import { deepStrictEqual, equal } from "node:assert/strict";
import { type DecodedPipeRequest, PipeRequestBatch, decodePipeRequests } from "../../src/index.ts";
import { anyKvRequest } from "../client/arbitraries.ts";
import { samplesOf } from "./samples.ts";

/** What a program sends on a Pipe: what was decoded survives encoding. */
export const seeds: readonly Uint8Array[] = samplesOf(anyKvRequest).map((request) =>
  encode([{ id: 7, request, problem: undefined }]),
);

export function run(input: Uint8Array): void {
  const decoded = decodePipeRequests(input);
  if (!decoded.ok) return;
  for (const { request, problem } of decoded.requests) {
    equal(request === undefined, problem !== undefined, "a request is refused for a reason");
  }
  const whole = decoded.requests.filter(({ request }) => request !== undefined);
  deepStrictEqual(decodePipeRequests(encode(whole)), { ok: true, requests: whole });
}

function encode(requests: readonly DecodedPipeRequest[]): Uint8Array {
  const batch = new PipeRequestBatch();
  for (const { id, request } of requests) if (request !== undefined) batch.add(id, request);
  return batch.take().slice();
}
