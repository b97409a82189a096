import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperationBatch, ResultBatch, decodeAck, decodeBatch } from "../src/index.ts";
import { anyId, anyRequest, anyResponse, anyTime } from "./arbitraries.ts";

const operations = fc.array(fc.record({ id: anyId, deadline: anyTime, request: anyRequest }), {
  maxLength: 8,
});
const results = fc.array(fc.record({ id: anyId, response: anyResponse }), { maxLength: 8 });

describe("what one node encodes another decodes", () => {
  it("a batch of operations", () => {
    const batch = new OperationBatch();
    fc.assert(
      fc.property(anyTime, operations, (sentMs, sent) => {
        for (const { id, deadline, request } of sent) batch.add(id, deadline, request);
        expect(decodeBatch(batch.take(sentMs))).toEqual({ ok: true, sentMs, operations: sent });
      }),
    );
  });

  it("an ack with results", () => {
    const batch = new ResultBatch();
    fc.assert(
      fc.property(results, (sent) => {
        for (const { id, response } of sent) batch.add(id, response);
        expect(decodeAck(batch.take())).toEqual({ ok: true, results: sent });
      }),
    );
  });
});
