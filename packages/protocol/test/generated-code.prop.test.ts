import { fromBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperationBatch, ResultBatch, decodeAck, decodeBatch } from "../src/index.ts";
import { refusalsInWireOrder } from "../src/refusals.ts";
import { anyId, anyRequest, anyResponse, anyTime } from "./arbitraries.ts";
import { generatedAck, generatedBatch } from "./generated-message.ts";
import { BatchAckSchema, BatchSchema, Refusal } from "./generated/coterie/peer/v1/peer_pb.js";

const operations = fc.array(fc.record({ id: anyId, deadline: anyTime, request: anyRequest }), {
  maxLength: 8,
});
const results = fc.array(fc.record({ id: anyId, response: anyResponse }), { maxLength: 8 });

describe("the codecs written by hand agree with the generated ones", () => {
  it("a batch has the same bytes", () => {
    const batch = new OperationBatch();
    fc.assert(
      fc.property(anyTime, operations, (sentMs, sent) => {
        for (const { id, deadline, request } of sent) batch.add(id, deadline, request);
        const bytes = batch.take(sentMs);
        expect(Buffer.from(bytes)).toEqual(Buffer.from(generatedBatch(sentMs, sent)));
        expect(fromBinary(BatchSchema, bytes).operations).toHaveLength(sent.length);
      }),
    );
  });

  it("a generated batch is decoded", () => {
    fc.assert(
      fc.property(anyTime, operations, (sentMs, sent) => {
        const decoded = decodeBatch(generatedBatch(sentMs, sent));
        expect(decoded).toEqual({ ok: true, sentMs, operations: sent });
      }),
    );
  });

  it("an ack has the same bytes", () => {
    const batch = new ResultBatch();
    fc.assert(
      fc.property(results, (sent) => {
        for (const { id, response } of sent) batch.add(id, response);
        const bytes = batch.take();
        expect(Buffer.from(bytes)).toEqual(Buffer.from(generatedAck(sent)));
        expect(fromBinary(BatchAckSchema, bytes).results).toHaveLength(sent.length);
      }),
    );
  });

  it("a generated ack is decoded", () => {
    fc.assert(
      fc.property(results, (sent) => {
        expect(decodeAck(generatedAck(sent))).toEqual({ ok: true, results: sent });
      }),
    );
  });

  it("refusals have the contract's numbers", () => {
    const names = refusalsInWireOrder.map((code) => code.toUpperCase().replaceAll("-", "_"));
    expect(["UNSPECIFIED", ...names]).toEqual(
      Object.values(Refusal).filter((name) => typeof name === "string"),
    );
  });

  it("large byte strings need longer lengths than hinted, or shorter ones, and survive", () => {
    const stamp = { epoch: 1, tag: 2 };
    for (const length of [90, 95, 100, 120, 16_350, 16_370, 16_384, 70_000, 2_097_140]) {
      const record = new Uint8Array(length).fill(7);
      const request = { kind: "merge" as const, fence: 0, stamp, record };
      const batch = new OperationBatch();
      batch.add(1, 2, request);
      batch.add(3, 4, request);
      const sent = [
        { id: 1, deadline: 2, request },
        { id: 3, deadline: 4, request },
      ];
      const bytes = batch.take(5);
      expect(Buffer.compare(bytes, generatedBatch(5, sent)), `of ${length} bytes`).toBe(0);
    }
  });
});
