import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/bytes/text.ts";
import type { PeerAddress } from "../../src/ids.ts";
import { wholeBucket } from "../../src/ring/bucket.ts";
import type { ClusterSettings, Member } from "../../src/ring/cluster-document.ts";
import {
  contextKeyOf,
  decodeDocument,
  documentDigest,
  encodeDocument,
  placementTag,
  settingsDigest,
} from "../../src/ring/document-codec.ts";
import { formDocument } from "../../src/ring/form-document.ts";
import { documentOf, memberOf, membersOf, settingsOf } from "./members.ts";

const document = documentOf(settingsOf(8), [
  memberOf(1, { zone: "zürich 🏔" }),
  memberOf(2, { weight: 3, http: "", grpc: "", resp: "" }),
  memberOf(3),
]);
const text = new TextDecoder().decode(encodeDocument(document));

it("is the same whatever order its members and buckets come in", () => {
  const settings = settingsOf(16);
  const members = membersOf(5);
  const digest = documentDigest(documentOf(settings, members));
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...members], { minLength: 5 }),
      fc.shuffledSubarray([...settings.buckets], { minLength: 2 }),
      (shuffled, buckets) => {
        const formed = documentOf({ ...settings, buckets }, shuffled);
        expect(documentDigest(formed)).toBe(digest);
        expect(settingsDigest({ ...settings, buckets })).toBe(settingsDigest(settings));
      },
    ),
    { numRuns: 100 },
  );
});

it("has another cluster id and context key when one member has another directory", () => {
  const other = documentOf(document.settings, [
    ...document.members.slice(0, 2),
    memberOf(3, { nonce: "f".repeat(32) }),
  ]);
  expect(other.clusterId).not.toBe(document.clusterId);
  expect(contextKeyOf(other)).not.toEqual(contextKeyOf(document));
  expect(contextKeyOf(document)).toHaveLength(32);
});

it("reads back what it wrote, and names it by a digest", () => {
  const bytes = encodeDocument(document);
  expect(decodeDocument(bytes)).toEqual({ ok: true, document });
  expect(documentDigest(document)).toMatch(/^[0-9a-f]{32}$/u);
});

it("has a tag for the cluster and where its data lives, whatever buckets and epoch it has", () => {
  const tag = placementTag(document);
  expect(Number.isInteger(tag) && tag >= 0 && tag < 2 ** 32).toBe(true);
  const { settings } = document;
  const later = { ...document, epoch: 7, settings: { ...settings, buckets: [] } };
  expect(placementTag(later)).toBe(tag);
  const moved = { ...document, owners: document.owners.toReversed() };
  expect(placementTag({ ...moved, clusterId: document.clusterId })).not.toBe(tag);
  expect(placementTag({ ...document, clusterId: "f".repeat(32) })).not.toBe(tag);
});

/** The bytes of version 1, which are on disks: they do not change. */
it("keeps the bytes of its first version", () => {
  const one = documentOf({ partitions: 2, hash: "md5", nMax: 1, buckets: [] }, [
    memberOf(1, { grpc: "", resp: "" }),
  ]);
  expect(new TextDecoder().decode(encodeDocument(one))).toBe(
    '{"version":1,"clusterId":"b3aa39627242c7f76eab8d49d8b5d3c1","epoch":1,' +
      '"settings":{"partitions":2,"nMax":1,"buckets":[]},"members":[{"id":"n01",' +
      '"address":"n01.example:7101","http":"n01.example:8101","host":"host-n01",' +
      '"zone":"zone-a","weight":1,"nonce":"00000000000000000000000000000001"}],' +
      '"owners":[[0],[0]]}',
  );
});

it.each(["grpc", "resp"])("reads a member without its %s door, which bytes do not name", (door) => {
  const one = documentOf({ partitions: 2, hash: "md5", nMax: 1, buckets: [] }, [
    memberOf(1, { grpc: "", resp: "" }),
  ]);
  const bytes = encodeDocument(one);
  expect(decodeDocument(bytes)).toEqual({ ok: true, document: one });
  const named = new TextDecoder().decode(bytes).replace('"host"', `"${door}":"","host"`);
  expect(decodeDocument(new TextEncoder().encode(named))).toMatchObject({ ok: false });
});

it("reads a document whose hash is not named as one with md5, whose bytes do not name it", () => {
  const members = [memberOf(1)];
  const one = documentOf({ partitions: 2, hash: "redis-slots", nMax: 1, buckets: [] }, members);
  const text = new TextDecoder().decode(encodeDocument(one));
  expect(text).toContain('"settings":{"partitions":2,"hash":"redis-slots","nMax":1,');
  expect(decodeDocument(encodeDocument(one))).toEqual({ ok: true, document: one });
  for (const other of ["md5", "crc32"]) {
    const changed = new TextEncoder().encode(text.replace("redis-slots", other));
    expect(decodeDocument(changed)).toMatchObject({ ok: false });
  }
});

it("reads a bucket without a mode as a strict one, whose bytes do not name it", () => {
  const modes = (bytes: Uint8Array): readonly string[] => {
    const decoded = decodeDocument(bytes);
    return decoded.ok ? decoded.document.settings.buckets.map(({ mode }) => mode) : [];
  };
  const buckets = (["strict", "sloppy"] as const).map((mode) => wholeBucket(mode, { mode }, 1));
  const settings = { partitions: 2, hash: "md5", nMax: 1, buckets } as const;
  const bytes = encodeDocument(documentOf(settings, [memberOf(1)]));
  const text = new TextDecoder().decode(bytes);
  expect(text).toContain('"name":"sloppy","policy":"siblings","n":1,"r":1,"w":1,"pr":0,"pw":0,');
  expect(text).toContain('"allowStale":false,"mode":"sloppy"}');
  expect(text).toContain('"allowStale":false}');
  expect(modes(bytes)).toEqual(["sloppy", "strict"]);
  for (const other of ['"strict"', '"lax"', "null"]) {
    const changed = text.replace('"mode":"sloppy"', `"mode":${other}`);
    expect(decodeDocument(new TextEncoder().encode(changed))).toMatchObject({ ok: false });
  }
});

describe("forming is refused with", () => {
  const [bucket] = settingsOf(8).buckets;
  if (bucket === undefined) throw new Error("there is a default bucket");
  it.each<[string, Partial<ClusterSettings>, readonly Member[], string]>([
    ["no partition", { partitions: 0 }, membersOf(3), "from 1 to 16384, not 0"],
    ["too many partitions", { partitions: 16_385 }, membersOf(3), "from 1 to 16384"],
    ["half a partition", { partitions: 1.5 }, membersOf(3), "not 1.5"],
    ["no copy", { nMax: 0 }, membersOf(3), "nMax is an integer from 1 to 64, not 0"],
    ["too many copies", { nMax: 65 }, membersOf(3), "nMax is an integer"],
    ["too few nodes for a bucket", {}, membersOf(2), "and there are 2 nodes"],
    ["an id twice", {}, [...membersOf(3), memberOf(3, { address: "x" as PeerAddress })], "n03"],
    [
      "an address twice",
      {},
      [...membersOf(3), memberOf(4, { address: memberOf(1).address })],
      "the address n01.example:7101",
    ],
    ["a weight of 0", {}, [...membersOf(3), memberOf(4, { weight: 0 })], "weight is an integer"],
    ["a bad nonce", {}, [...membersOf(3), memberOf(4, { nonce: "" })], "n04 says of itself"],
    ["an endless zone", {}, [...membersOf(3), memberOf(4, { zone: "z".repeat(256) })], "n04 says"],
    ["a bucket twice", { buckets: [bucket, bucket] }, membersOf(3), "the name default"],
    ["a bad bucket", { buckets: [{ ...bucket, r: 9 }] }, membersOf(3), "r is an integer"],
    [
      "too many buckets",
      { buckets: Array.from({ length: 1025 }, (_, at) => ({ ...bucket, name: `b${at}` })) },
      membersOf(3),
      "at most 1024 buckets",
    ],
    [
      "too many nodes",
      {},
      Array.from({ length: 1025 }, (_, at) => memberOf(at)),
      "at most 1024 nodes",
    ],
  ])("%s", (_, changes, members, message) => {
    const formed = formDocument({ ...settingsOf(8), ...changes }, members);
    expect(formed).toMatchObject({ ok: false, code: "bad-settings" });
    expect(formed.ok ? "" : formed.message).toContain(message);
  });
});

describe("reading refuses", () => {
  it.each([
    ["what is not UTF-8", Uint8Array.of(0xc0, 0x80), "it is not UTF-8"],
    ["what is not JSON", utf8(text.slice(1)), "it is not JSON"],
    ["nothing", utf8("null"), "it is not a cluster document"],
    ["an unknown version", utf8(text.replace('"version":1', '"version":2')), "it is not a"],
    ["a member that is nothing", utf8(text.replace(/"members":\[/u, "$&null,")), "it is not a"],
    ["a bucket that is nothing", utf8(text.replace(/"buckets":\[/u, "$&null,")), "it is not a"],
    ["an unknown policy", utf8(text.replace('"lww"', '"lost"')), "it is not a"],
    ["an unknown field", utf8(text.replace('"epoch":1', '$&,"more":1')), "not canonical"],
    ["space between fields", utf8(JSON.stringify(document, undefined, 1)), "not canonical"],
    [
      "members that are not sorted",
      encodeDocument({ ...document, members: document.members.toReversed() }),
      "its members are not sorted",
    ],
    [
      "a partition without owners",
      encodeDocument({ ...document, owners: document.owners.slice(1) }),
      "it has not one list of owners per partition",
    ],
    [
      "an owner twice",
      encodeDocument({ ...document, owners: document.owners.map(() => [0, 1, 1]) }),
      "owners are not distinct members",
    ],
    [
      "an owner who is no member",
      encodeDocument({ ...document, owners: document.owners.map(() => [0, 1, 3]) }),
      "owners are not distinct members",
    ],
  ])("%s", (_, bytes, reason) => {
    const decoded = decodeDocument(bytes);
    expect(decoded.ok ? "" : decoded.reason).toContain(reason);
  });
});

/** Replaces the value at a random place of parsed JSON. */
function withReplaced(value: unknown, path: readonly number[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== "object" || value === null) return by;
  const entries = Object.entries(value);
  const index = step % Math.max(entries.length, 1);
  const changed = entries.map(([name, each], at) => [
    name,
    at === index ? withReplaced(each, rest, by) : each,
  ]);
  return Array.isArray(value) ? changed.map(([, each]) => each) : Object.fromEntries(changed);
}

it("never throws, and takes nothing that it would not write, whatever part is replaced", () => {
  const strange = fc.oneof(
    fc.constantFrom(null, true, "", -1, 0.5, 1e300, [], {}, [[]], "f".repeat(32)),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 5 }), strange, (path, by) => {
      const bytes = utf8(JSON.stringify(withReplaced(JSON.parse(text), path, by)));
      const decoded = decodeDocument(bytes);
      if (decoded.ok) expect(encodeDocument(decoded.document)).toEqual(bytes);
    }),
    { numRuns: 3000 },
  );
});
