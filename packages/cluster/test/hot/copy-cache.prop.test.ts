import {
  DeadWrites,
  type ActorId,
  type Key,
  type Token,
  VersionVector,
  encodeRecord,
  tokenOf,
  utf8,
} from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { CopyCache } from "../../src/hot/copy-cache.ts";

const bytesMax = 8192;

function placeOf(number: number): Key & { readonly token: Token } {
  const key = { bucket: "default", key: utf8(`key-${number}`) };
  return { ...key, token: tokenOf(key, { hash: "md5", partitions: 8 }) };
}

function storedOf(key: Key, size: number): StoredRecord {
  const dot = { actor: "0123456789abcdef" as ActorId, counter: 1 };
  const sibling = {
    dots: [dot],
    writtenAt: { wallMs: 1, logical: 0 },
    writeId: undefined,
    expiresAtMs: undefined,
    contentType: "",
    value: new Uint8Array(size),
  };
  const clock = VersionVector.of([dot]);
  const record = { clock, siblings: [sibling], deadWrites: DeadWrites.none };
  return { record, bytes: encodeRecord(key, record) };
}

const step = fc.record({ key: fc.nat(20), size: fc.nat(1200), isUse: fc.boolean() });

it("keeps what was used last, within its bytes, and never another record", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const cache = new CopyCache(bytesMax);
      const latest = new Map<number, StoredRecord>();
      for (const { key, size, isUse } of steps) {
        const place = placeOf(key);
        if (!isUse) {
          const stored = storedOf(place, size);
          latest.set(key, stored);
          cache.keep(place, stored, {
            digest: { high: key, low: size },
            bytes: stored.bytes.length,
          });
        }
        const found = cache.find(place);
        if (found !== undefined) {
          expect(found.stored.bytes).toEqual(latest.get(key)?.bytes);
          expect(found.stored.record).toEqual(latest.get(key)?.record);
        }
        // What is small enough is there after it was kept.
        if (!isUse && size < 300) expect(found?.version.digest).toEqual({ high: key, low: size });
        if (!isUse && size > 1100) expect(found).toBeUndefined();
        expect(cache.bytes).toBeLessThanOrEqual(bytesMax);
      }
    }),
  );
});

it("takes a key that shares its token with another one for none", () => {
  const cache = new CopyCache(bytesMax);
  const one = placeOf(1);
  const other = { ...placeOf(2), token: one.token };
  const stored = storedOf(one, 10);
  cache.keep(one, stored, { digest: { high: 1, low: 1 }, bytes: stored.bytes.length });
  expect(cache.find(other)).toBeUndefined();
  expect(cache.find({ ...one, bucket: "second" })).toBeUndefined();
  expect(cache.find(one)?.stored.bytes).toEqual(stored.bytes);
});

it("owns what it keeps: a message that a record came in may be written over", () => {
  const cache = new CopyCache(bytesMax);
  const place = placeOf(1);
  const stored = storedOf(place, 10);
  const before = stored.bytes.slice();
  cache.keep(place, stored, { digest: { high: 1, low: 1 }, bytes: stored.bytes.length });
  stored.bytes.fill(0xff);
  expect(cache.find(place)?.stored.bytes).toEqual(before);
});
