import * as fc from "fast-check";
import {
  type CausalRecord,
  applyDelete,
  applyPut,
  contextAfterPut,
  mergeRecords,
} from "../../src/index.ts";
import { type CausalImplementation, World, patientHistory } from "./history.ts";

/** The implementation that we ship. */
export const coterie: CausalImplementation = {
  merge: mergeRecords,
  put: applyPut,
  delete: applyDelete,
  contextAfterPut,
};

/** Records that replicas can come to hold, with text of any kind as their content types. */
export const reachableRecord: fc.Arbitrary<CausalRecord> = fc
  .tuple(patientHistory, fc.nat(), fc.string({ unit: "binary", maxLength: 40 }), fc.boolean())
  .map(([steps, pick, contentType, overwrites]) => {
    const { reached } = new World(coterie, steps, overwrites);
    const record = reached[pick % reached.length] as CausalRecord;
    return {
      ...record,
      siblings: record.siblings.map((sibling) => ({ ...sibling, contentType })),
    };
  });

/** Any bytes, short or long, or what is left of `bytes` after some damage. */
export function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(Math.max(0, bytes.length - 1));
  return fc.oneof(
    place.map((length) => bytes.slice(0, length)),
    fc.tuple(place, fc.nat(7)).map(([at, bit]) => {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] as number) ^ (1 << bit);
      return flipped;
    }),
    fc.uint8Array({ maxLength: 40 }).map((more) => Uint8Array.from([...bytes, 0, ...more])),
    fc
      .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 9 }))
      .map(([at, patch]) => Uint8Array.from([...bytes.slice(0, at), ...patch])),
    fc.uint8Array({ maxLength: 300 }),
  );
}
