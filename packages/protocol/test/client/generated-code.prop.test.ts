import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type KvReply,
  PipeReplyBatch,
  PipeRequestBatch,
  decodeBatchReply,
  decodeBatchRequest,
  decodeClusterDescription,
  decodeFailure,
  decodeGetReply,
  decodeKvRequest,
  decodePipeReplies,
  decodePipeRequests,
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
  anyKvRequest,
  anyKvScan,
  anyPipeId,
} from "./arbitraries.ts";
import {
  generatedBatchReply,
  generatedBatchRequest,
  generatedClusterDescription,
  generatedPipeReplies,
  generatedPipeRequests,
  generatedUnaryReply,
  generatedUnaryRequest,
} from "./generated-message.ts";

const requests = fc.array(fc.record({ id: anyPipeId, request: anyKvRequest }), { maxLength: 8 });
const replies = fc.array(fc.record({ id: anyPipeId, reply: anyKvReply }), { maxLength: 8 });
const operations = fc.array(anyKvOperation, { maxLength: 8 });
const operationReplies = fc.array(anyKvOperationReply, { maxLength: 8 });

function decodeReply(kind: KvReply["kind"], bytes: Uint8Array): KvReply | undefined {
  switch (kind) {
    case "get":
      return decodeGetReply(bytes);
    case "write":
      return decodeWriteReply(bytes);
    case "scan":
      return decodeScanReply(bytes);
    case "failure":
      break;
  }
  return decodeFailure(bytes);
}

describe("the codecs of a Pipe agree with the generated ones", () => {
  it("requests, both ways", () => {
    const batch = new PipeRequestBatch();
    fc.assert(
      fc.property(requests, (sent) => {
        let size = 0;
        for (const { id, request } of sent) size += batch.add(id, request);
        expect([batch.requests, batch.bytes]).toEqual([sent.length, size]);
        const generated = generatedPipeRequests(sent);
        expect(Buffer.from(batch.take())).toEqual(Buffer.from(generated));
        expect([batch.requests, batch.bytes]).toEqual([0, 0]);
        expect(decodePipeRequests(generated)).toEqual({
          ok: true,
          requests: sent.map((each) => ({ ...each, problem: undefined })),
        });
      }),
    );
  });

  it("replies, both ways", () => {
    const batch = new PipeReplyBatch();
    fc.assert(
      fc.property(replies, (sent) => {
        let size = 0;
        for (const { id, reply } of sent) size += batch.add(id, reply);
        expect([batch.replies, batch.bytes]).toEqual([sent.length, size]);
        const generated = generatedPipeReplies(sent);
        expect(Buffer.from(batch.take())).toEqual(Buffer.from(generated));
        expect(decodePipeReplies(generated)).toEqual({ ok: true, replies: sent });
      }),
    );
  });

  it("large values need longer lengths than hinted, or shorter ones, and survive", () => {
    const acks = { primaries: 1, fallbacks: 0, required: 1 };
    const batch = new PipeReplyBatch();
    for (const length of [60, 90, 100, 127, 16_300, 16_384, 70_000, 2_097_100]) {
      const value = new Uint8Array(length).fill(7);
      const sibling = { value, contentType: "", dot: "", writtenAtMs: 0, expiresAtMs: 0 };
      const reply = { kind: "get" as const, siblings: [sibling], context: undefined, acks };
      batch.add(1, reply);
      const generated = generatedPipeReplies([{ id: 1, reply }]);
      expect(Buffer.compare(batch.take(), generated), `of ${length} bytes`).toBe(0);
    }
  });

  it("what was gathered can be dropped", () => {
    const batch = new PipeRequestBatch();
    batch.add(1, { kind: "cancel" });
    batch.clear();
    expect(batch.requests).toBe(0);
    expect(batch.take()).toEqual(new Uint8Array());
  });
});

describe("the codecs of unary calls agree with the generated ones", () => {
  it("requests, both ways", () => {
    fc.assert(
      fc.property(fc.oneof(anyKvOperation, anyKvScan), (request) => {
        const generated = generatedUnaryRequest(request);
        expect(Buffer.from(encodeKvRequest(request))).toEqual(Buffer.from(generated));
        expect(decodeKvRequest(request.kind, generated)).toEqual({ ok: true, value: request });
      }),
    );
  });

  it("replies, both ways", () => {
    fc.assert(
      fc.property(anyKvReply, (reply) => {
        const generated = generatedUnaryReply(reply);
        expect(Buffer.from(encodeKvReply(reply))).toEqual(Buffer.from(generated));
        expect(decodeReply(reply.kind, generated)).toEqual(reply);
      }),
    );
  });

  it("batches, both ways", () => {
    fc.assert(
      fc.property(operations, operationReplies, (asked, said) => {
        const request = generatedBatchRequest(asked);
        expect(Buffer.from(encodeBatchRequest(asked))).toEqual(Buffer.from(request));
        expect(decodeBatchRequest(request)).toEqual({ ok: true, value: asked });
        const reply = generatedBatchReply(said);
        expect(Buffer.from(encodeBatchReply(said))).toEqual(Buffer.from(reply));
        expect(decodeBatchReply(reply)).toEqual(said);
      }),
    );
  });

  it("a description of the cluster, both ways", () => {
    fc.assert(
      fc.property(anyClusterDescription, (description) => {
        const generated = generatedClusterDescription(description);
        expect(Buffer.from(encodeClusterDescription(description))).toEqual(Buffer.from(generated));
        expect(decodeClusterDescription(generated)).toEqual(description);
      }),
    );
  });
});
