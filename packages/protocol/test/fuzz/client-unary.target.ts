import { deepStrictEqual } from "node:assert/strict";
import {
  decodeBatchReply,
  decodeBatchRequest,
  decodeClusterDescription,
  decodeFailure,
  decodeGetReply,
  decodeKvRequest,
  decodeScanReply,
  decodeWriteReply,
  encodeBatchReply,
  encodeBatchRequest,
  encodeClusterDescription,
  encodeKvReply,
  encodeKvRequest,
} from "../../src/index.ts";
import {
  anyClusterDescription,
  anyKvOperation,
  anyKvOperationReply,
  anyKvReply,
  anyKvScan,
} from "../client/arbitraries.ts";
import { samplesOf } from "./samples.ts";

/** The messages of the unary calls: the same bytes are read as each of them. */
export const seeds: readonly Uint8Array[] = [
  ...samplesOf(anyKvOperation).map((operation) => encodeKvRequest(operation)),
  ...samplesOf(anyKvScan).map((scan) => encodeKvRequest(scan)),
  ...samplesOf(anyKvReply).map((reply) => encodeKvReply(reply)),
  encodeBatchRequest(samplesOf(anyKvOperation).slice(0, 3)),
  encodeBatchReply(samplesOf(anyKvOperationReply).slice(0, 3)),
  ...samplesOf(anyClusterDescription).map((each) => encodeClusterDescription(each)),
].map((bytes) => bytes.slice());

export function run(input: Uint8Array): void {
  for (const kind of ["get", "put", "delete", "scan"] as const) {
    const decoded = decodeKvRequest(kind, input);
    if (decoded.ok) deepStrictEqual(decodeKvRequest(kind, encodeKvRequest(decoded.value)), decoded);
  }
  for (const decode of [decodeGetReply, decodeWriteReply, decodeScanReply, decodeFailure]) {
    const reply = decode(input);
    if (reply !== undefined) deepStrictEqual(decode(encodeKvReply(reply)), reply);
  }
  const batch = decodeBatchRequest(input);
  if (batch.ok) deepStrictEqual(decodeBatchRequest(encodeBatchRequest(batch.value)), batch);
  const replies = decodeBatchReply(input);
  if (replies !== undefined) deepStrictEqual(decodeBatchReply(encodeBatchReply(replies)), replies);
  const cluster = decodeClusterDescription(input);
  if (cluster === undefined) return;
  deepStrictEqual(decodeClusterDescription(encodeClusterDescription(cluster)), cluster);
}
