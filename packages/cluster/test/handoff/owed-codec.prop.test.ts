import type { NodeId } from "@coterie/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { decodeOwed, encodeOwed } from "../../src/handoff/owed-codec.ts";

const partitionsMax = 1024;
const partitions = fc
  .uniqueArray(fc.nat({ max: partitionsMax - 1 }), { maxLength: 50 })
  .map((each) => each.toSorted((left, right) => left - right));
const owed = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z0-9._-]{1,64}$/u), partitions), {
    selector: ([id]) => id,
    maxLength: 5,
  })
  .map((entries) => new Map(entries.map(([id, each]) => [id as NodeId, each])));

it("reads what it wrote", () => {
  fc.assert(
    fc.property(owed, (given) => {
      expect(decodeOwed(encodeOwed(given), partitionsMax)).toEqual({ ok: true, owed: given });
    }),
  );
});

it("refuses a file that was cut, continued, or is of another cluster", () => {
  const bytes = encodeOwed(new Map([["n1" as NodeId, [3, 1000]]]));
  expect(decodeOwed(bytes.subarray(0, -1), partitionsMax).ok).toBe(false);
  expect(decodeOwed(Uint8Array.of(...bytes, 0), partitionsMax).ok).toBe(false);
  expect(decodeOwed(bytes, 1000).ok).toBe(false);
  expect(decodeOwed(Uint8Array.of(2, ...bytes.subarray(1)), partitionsMax).ok).toBe(false);
});
