import { DeadWrites, type ActorId, VersionVector, encodeRecord } from "@coterie/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlaceTable } from "../src/place-table.ts";
import { RecordCache } from "../src/record-cache.ts";

/** Few places, some of which share their low or their high half. */
const place = fc
  .tuple(fc.nat({ max: 3 }), fc.nat({ max: 40 }))
  .map(([segment, offset]) => segment * 0x1_0000_0000 + offset * 64);

const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
const ringBytes = 2048;

describe("the table of places", () => {
  it("does what a map does", () => {
    const steps = fc.array(fc.record({ place, position: fc.option(fc.nat()) }), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const table = new PlaceTable();
        const model = new Map<number, number>();
        for (const { place: at, position } of all) {
          if (position === null) {
            table.delete(at);
            model.delete(at);
          } else {
            table.set(at, position);
            model.set(at, position);
          }
          expect(table.get(at)).toBe(model.get(at));
        }
        expect(table.count).toBe(model.size);
        for (const [at, position] of model) expect(table.get(at)).toBe(position);
      }),
      { numRuns: 1000 },
    );
  });

  it("grows, and forgets nothing", () => {
    const table = new PlaceTable();
    for (let at = 0; at < 20_000; at += 1) table.set(at * 200, at);
    for (let at = 0; at < 20_000; at += 2) table.delete(at * 200);
    for (let at = 0; at < 20_000; at += 1) {
      expect(table.get(at * 200)).toBe(at % 2 === 0 ? undefined : at);
    }
  });
});

describe("the cache of records", () => {
  it("returns exactly what was kept under a place, or nothing", () => {
    const steps = fc.array(fc.record({ place, bytes, isRead: fc.boolean() }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (all) => {
        const cache = new RecordCache(ringBytes);
        const kept = new Map<number, Uint8Array>();
        for (const step of all) {
          const content = kept.get(step.place) ?? step.bytes;
          if (!step.isRead) {
            cache.set(step.place, content);
            kept.set(step.place, content);
          }
          const got = cache.get(step.place);
          if (!step.isRead) expect(got).toBeDefined();
          if (got !== undefined) expect(got.bytes).toEqual(kept.get(step.place));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps the newest, and what is read again and again", () => {
    const cache = new RecordCache(ringBytes);
    const content = new Uint8Array(100).fill(7);
    cache.set(0, content);
    for (let at = 1; at <= 1000; at += 1) {
      cache.set(at, content);
      expect(cache.get(0)?.bytes).toEqual(content);
    }
    expect(cache.get(991)?.bytes).toEqual(content);
    expect(cache.get(900)).toBeUndefined();
  });

  it("does not take what would drive out most others, nor anything if it has no memory", () => {
    const cache = new RecordCache(ringBytes);
    cache.set(1, new Uint8Array(ringBytes / 8));
    expect(cache.get(1)).toBeUndefined();
    const none = new RecordCache(0);
    none.set(1, new Uint8Array(0));
    expect(none.get(1)).toBeUndefined();
  });

  it("gives back memory of its own, and decodes what is in it", () => {
    const clock = VersionVector.of([{ actor: "00000000000000aa" as ActorId, counter: 3 }]);
    const record = { clock, siblings: [], deadWrites: DeadWrites.none };
    const encoded = encodeRecord({ bucket: "default", key: Uint8Array.of(1) }, record);
    const cache = new RecordCache(ringBytes);
    cache.set(5, encoded);
    cache.get(5)?.bytes.fill(0);
    expect(cache.get(5)?.record).toEqual(record);
  });
});
