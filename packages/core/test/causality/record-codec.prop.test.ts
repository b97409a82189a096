import { DeadWrites } from "../../src/causality/dead-writes.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CausalRecord,
  type DeadWrite,
  type DecodedRecord,
  VersionVector,
  decodeRecord,
  decodeRecordKey,
  emptyRecord,
  encodeRecord,
  isRecordOf,
  mergeRecords,
  recordDigest,
  utf8,
} from "../../src/index.ts";
import { coterie, damaged, reachableRecord } from "./arbitraries.ts";
import { World, actorNamed, patientHistory, writeIdNamed } from "./history.ts";
import { copyOf } from "./laws.ts";

const anyKey = fc.record({
  bucket: fc.stringMatching(/^[a-z0-9._-]{1,64}$/u),
  key: fc.uint8Array({ minLength: 1, maxLength: 2048 }),
});

const key = { bucket: "default", key: utf8("k") };

/** Shared by all that follows: decoding never throws, and what it accepts is canonical. */
function decodeSafely(bytes: Uint8Array): DecodedRecord {
  const decoded = decodeRecord(bytes);
  if (decoded.ok) expect(encodeRecord(decoded, decoded.record)).toEqual(bytes);
  return decoded;
}

describe("the record codec", () => {
  it("gives back what it was given", () => {
    fc.assert(
      fc.property(anyKey, reachableRecord, (place, record) => {
        const bytes = encodeRecord(place, record);
        const decoded = decodeRecord(bytes);
        expect(decoded).toMatchObject({ ok: true, bucket: place.bucket });
        if (!decoded.ok) return;
        expect(decoded.key).toEqual(place.key);
        expect(decoded.record.clock.toString()).toBe(record.clock.toString());
        expect(decoded.record.siblings).toEqual(record.siblings);
        expect(decoded.record.deadWrites).toEqual(record.deadWrites);
        expect(decodeRecordKey(bytes)).toEqual(place);
      }),
      { numRuns: 1000 },
    );
  });

  it("is told by its key alone, byte for byte", () => {
    fc.assert(
      fc.property(anyKey, anyKey, fc.nat(), (place, other, at) => {
        const bytes = encodeRecord(place, emptyRecord);
        expect(isRecordOf(bytes, place)).toBe(true);
        const isSame = place.bucket === other.bucket && place.key.join() === other.key.join();
        expect(isRecordOf(bytes, other)).toBe(isSame);
        const near = Uint8Array.from(place.key);
        near[at % near.length] = (near[at % near.length] as number) ^ 1;
        expect(isRecordOf(bytes, { ...place, key: near })).toBe(false);
        for (const key of [place.key.subarray(1), Uint8Array.from([...place.key, 0])]) {
          expect(isRecordOf(bytes, { ...place, key })).toBe(false);
        }
        expect(isRecordOf(bytes.subarray(0, at % 8), place)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it("makes equal bytes of equal records, in whatever order they were merged", () => {
    fc.assert(
      fc.property(patientHistory, fc.nat(), fc.nat(), (steps, one, other) => {
        const { reached } = new World(coterie, steps);
        const left = reached[one % reached.length] as CausalRecord;
        const right = copyOf(reached[other % reached.length] as CausalRecord);
        const isEqual = mergeRecords(left, right) === left && mergeRecords(right, left) === right;
        const hasEqualBytes = encodeRecord(key, left).join() === encodeRecord(key, right).join();
        expect(hasEqualBytes).toBe(isEqual);
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses damaged bytes, or reads them as another canonical record", () => {
    const input = reachableRecord
      .map((record) => encodeRecord(key, record))
      .chain((bytes) => damaged(bytes));
    fc.assert(
      fc.property(input, (bytes) => void decodeSafely(bytes)),
      { numRuns: 5000 },
    );
  });

  it("believes no count before it has seen the bytes for it", () => {
    const head = [1, 0, 0, 0, 0, 1, 0x61, 1, 0x6b];
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    const oneActor = [1, ...Array.from({ length: 8 }, () => 0xaa), 1];
    const inputs = [
      [...head, ...huge],
      [...head, 0, ...huge],
      [...head, ...oneActor, 1, ...huge],
      [...head, ...oneActor, 0, ...huge],
      [1, 0xff, 0xff, 0xff, 0xff, 1, 0x61, ...huge],
    ];
    for (const input of inputs) expect(decodeRecord(Uint8Array.from(input)).ok).toBe(false);
  });
});

const sibling = (counter: number, id?: number): CausalRecord["siblings"][number] => ({
  dots: [{ actor: actorNamed(1), counter }],
  value: utf8(`v${counter}`),
  contentType: "",
  writtenAt: { wallMs: 1, logical: 0 },
  writeId: id === undefined ? undefined : writeIdNamed(id),
  expiresAtMs: undefined,
});

const clockOf = (...records: readonly CausalRecord["siblings"][number][]): CausalRecord["clock"] =>
  VersionVector.of(records.flatMap(({ dots }) => dots));

describe("records that merging could not trust are refused", () => {
  const dead = DeadWrites.of([{ writeId: writeIdNamed(1), writtenAtMs: 1 }]);
  const [first, second] = [sibling(1), sibling(2)];
  it.each<[string, Partial<CausalRecord>]>([
    ["siblings out of order", { siblings: [second, first] }],
    ["a dot that the clock does not cover", { clock: clockOf(first) }],
    ["two siblings of one write", { siblings: [sibling(1, 1), sibling(2, 1)] }],
    ["a sibling whose write is dead", { siblings: [sibling(1, 1), second], deadWrites: dead }],
    ["dots out of order", { siblings: [{ ...first, dots: [...second.dots, ...first.dots] }] }],
    [
      "two siblings under one dot",
      { siblings: [{ ...first, dots: [...first.dots, ...second.dots] }, second] },
    ],
  ])("%s", (reason, change) => {
    const record = {
      clock: clockOf(first, second),
      siblings: [first, second],
      deadWrites: DeadWrites.none,
      ...change,
    };
    expect(decodeRecord(encodeRecord(key, record))).toEqual({ ok: false, reason });
  });
});

describe("the marks of what was overwritten unread", () => {
  const unread = (at: number): DeadWrite => ({
    writeId: writeIdNamed(at),
    writtenAtMs: 1,
    ...(at % 3 === 0 ? { isUnread: true } : {}),
  });

  it.each([1, 8, 9, 64])("are read back, of %i ids", (count) => {
    const writes = Array.from({ length: count }, (_, at) => unread(at));
    const deadWrites = DeadWrites.of(writes);
    const record = { clock: clockOf(sibling(1)), siblings: [sibling(1)], deadWrites };
    const decoded = decodeRecord(encodeRecord(key, record));
    const read = decoded.ok ? decoded.record.deadWrites.toArray() : [];
    expect(read).toEqual(writes.toSorted((one, two) => (one.writeId < two.writeId ? -1 : 1)));
  });

  it("are refused for an id that is not there", () => {
    const deadWrites = DeadWrites.of([unread(1)]);
    const record = { clock: clockOf(sibling(1)), siblings: [sibling(1)], deadWrites };
    const bytes = encodeRecord(key, record);
    bytes[bytes.length - 1] = 2;
    expect(decodeRecord(bytes).ok).toBe(false);
  });
});

describe("the digest of a record", () => {
  const clock = clockOf(sibling(1));
  const base: CausalRecord = { clock, siblings: [sibling(1)], deadWrites: DeadWrites.none };
  const digestOf = (record: CausalRecord): string =>
    JSON.stringify(recordDigest(encodeRecord(key, record)));

  it("leaves dead write ids out", () => {
    const deadWrites = DeadWrites.of([{ writeId: writeIdNamed(3), writtenAtMs: 5 }]);
    const other = { ...base, deadWrites };
    expect(digestOf(other)).toBe(digestOf(base));
  });

  it("differs when a value differs under an equal clock", () => {
    const other = { ...base, siblings: [{ ...sibling(1), value: utf8("w1") }] };
    expect(digestOf(other)).not.toBe(digestOf(base));
  });

  it("differs when the clock differs", () => {
    const other = { ...base, clock: clock.increment(actorNamed(2)) };
    expect(digestOf(other)).not.toBe(digestOf(base));
  });

  it("is defined for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const { high, low } = recordDigest(bytes);
        expect([high >>> 0, low >>> 0]).toEqual([high, low]);
      }),
    );
  });
});
