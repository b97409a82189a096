import * as fc from "fast-check";
import { expect, it } from "vitest";
import { utf8 } from "../../src/bytes/text.ts";
import type { NodeId } from "../../src/ids.ts";
import { InvariantViolation } from "../../src/invariant.ts";
import type { BucketSettings, Member } from "../../src/ring/cluster-document.ts";
import {
  decodeDocument,
  documentDigest,
  encodeDocument,
  placementTag,
} from "../../src/ring/document-codec.ts";
import { Ring } from "../../src/ring/ring.ts";
import { type Token, compareTokens, partitionOf, tokenOf } from "../../src/ring/token.ts";
import { documentOf, memberOf, membersOf, modestSettings, settingsOf } from "./members.ts";
import { changed } from "./settled.ts";

const document = documentOf(settingsOf(12), membersOf(5));
const ring = new Ring(document);
const bucket = ring.bucket("default") as BucketSettings;
const anyKey = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((key) => ({ bucket: "default", key }));

function tokenAt(partition: number, partitions: number): Token {
  return { high: Math.ceil((partition * 2 ** 32) / partitions), low: 0 };
}

it("behaviour 21: lookup is deterministic", () => {
  const other = new Ring(documentOf(settingsOf(12), membersOf(5).toReversed()));
  fc.assert(
    fc.property(anyKey, (key) => {
      expect(other.plan(key, bucket).primaries).toEqual(ring.plan(key, bucket).primaries);
    }),
  );
});

it("behaviour 22: lookup always answers a member", () => {
  fc.assert(
    fc.property(anyKey, (key) => {
      for (const { id } of ring.plan(key, bucket).primaries) {
        expect(document.members).toContainEqual(ring.member(id));
      }
    }),
  );
});

it("shows the same fields in one order, whatever a document says of members and buckets", () => {
  const [first, ...others] = document.members as [Member, ...Member[]];
  const { settings } = document;
  const going = {
    ...document,
    epoch: 2,
    settings: { ...settings, buckets: settings.buckets.map((each) => ({ ttlMs: 5, ...each })) },
    members: [{ departure: "leaving" as const, ...first, firstNonce: "0".repeat(32) }, ...others],
  };
  const decoded = decodeDocument(encodeDocument(going));
  if (!decoded.ok) throw new Error(decoded.reason);
  const shapes = (of: Ring): readonly unknown[] => [
    Object.keys(of.member(first.id) ?? {}),
    Object.keys(of.owners(0)[0] ?? {}),
    Object.keys(of.bucket("default") ?? {}),
    Object.keys(of.settings),
  ];
  expect(shapes(new Ring(going))).toEqual(shapes(ring));
  expect(shapes(new Ring(decoded.document))).toEqual(shapes(ring));
});

it("names placements by numbers of one kind: 31 bits", () => {
  for (let number = 0; number < 100; number += 1) {
    const other = { ...document, clusterId: number.toString(16).padStart(32, "0") };
    expect(placementTag(other) | 0).toBe(placementTag(other));
  }
});

it("behaviour 28: a preference list has n distinct nodes", () => {
  fc.assert(
    fc.property(anyKey, fc.integer({ min: 1, max: 3 }), (key, n) => {
      const { primaries, fallbacks } = ring.preferenceList(tokenOf(key, document.settings), n);
      expect(new Set(primaries).size).toBe(n);
      expect(new Set([...primaries, ...fallbacks])).toEqual(new Set(document.members));
      expect(fallbacks).toHaveLength(document.members.length - n);
    }),
  );
});

it("behaviour 29: the first of a preference list is the owner", () => {
  fc.assert(
    fc.property(anyKey, (key) => {
      const { partition, primaries } = ring.plan(key, bucket);
      expect(primaries[0]).toBe(ring.owners(partition)[0]);
      expect(ring.preferenceList(tokenOf(key, document.settings), 1).primaries).toEqual(
        primaries.slice(0, 1),
      );
    }),
  );
});

it("meets fallbacks walking the ring, and counts in those who own nothing", () => {
  const few = new Ring(documentOf(modestSettings(3, 1), membersOf(5)));
  const firsts = [0, 1, 2].flatMap((partition) => few.owners(partition));
  const { primaries, fallbacks } = few.preferenceList(tokenAt(1, 3), 1);
  expect(primaries).toEqual(firsts.slice(1, 2));
  expect(fallbacks.slice(0, 2)).toEqual([firsts[2], firsts[0]]);
  expect(fallbacks).toHaveLength(4);
});

it("knows who owns what", () => {
  for (const { id } of document.members) {
    const owned = ring.partitionsOf(id);
    for (let partition = 0; partition < 12; partition += 1) {
      const isListed = ring.owners(partition).some((member) => member.id === id);
      expect(ring.isOwner(id, partition)).toBe(isListed);
      expect(owned.includes(partition)).toBe(isListed);
    }
  }
  expect(ring.partitionsOf("stranger" as NodeId)).toEqual([]);
  expect(ring.member("stranger" as NodeId)).toBeUndefined();
  expect(ring.bucket("unknown")).toBeUndefined();
  expect(() => ring.owners(12)).toThrow(InvariantViolation);
});

it("says which document it goes by", () => {
  const digest = documentDigest(document);
  expect(ring.digest).toBe(digest);
  expect(ring.stamp).toEqual({ epoch: 1, tag: placementTag(document) });
});

it("makes plans that hold until the ring has moved on", () => {
  const plan = ring.plan({ bucket: "default", key: utf8("k") }, bucket);
  const added = changed(document, { join: [memberOf(6)] });
  expect(plan.stillAppliesTo(ring)).toBe(true);
  expect(plan.stillAppliesTo(new Ring(added))).toBe(false);
  expect(plan.primaries).toHaveLength(bucket.n);
});

it("gives the keys of one partition one shared list", () => {
  const one = new Ring(documentOf(settingsOf(1), membersOf(3)));
  const [left, right] = ["a", "b"].map((key) =>
    one.plan({ bucket: "default", key: utf8(key) }, bucket),
  );
  expect(left?.primaries).toBe(right?.primaries);
});

/** MD5("default\0k") and so on: what is stored under a token stays findable. */
it.each([
  ["k", "default"],
  ["k", "redis"],
])("hashes key %s of bucket %s by MD5 over bucket, a zero byte and key", async (key, name) => {
  const { createHash } = await import("node:crypto");
  const digest = createHash("md5").update(`${name}\0${key}`).digest();
  const token = tokenOf({ bucket: name, key: utf8(key) }, { hash: "md5", partitions: 8 });
  expect(token).toEqual({ high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) });
});

it.each([
  [0, 1, 0],
  [0xffff_ffff, 1, 0],
  [0xffff_ffff, 16_384, 16_383],
  [0x7fff_ffff, 2, 0],
  [0x8000_0000, 2, 1],
  [0x5555_5555, 3, 0],
  [0x5555_5556, 3, 1],
])(
  "puts a token that begins with %i, of %i slices, into slice %i",
  (high, partitions, expected) => {
    expect(partitionOf({ high, low: 0 }, partitions)).toBe(expected);
  },
);

it("orders tokens as their bytes", () => {
  const token = fc.record({ high: fc.nat(3), low: fc.nat(3) });
  fc.assert(
    fc.property(token, token, (left, right) => {
      const order = left.high * 4 + left.low - (right.high * 4 + right.low);
      expect(Math.sign(compareTokens(left, right))).toBe(Math.sign(order));
    }),
  );
});
