import { DeadWrites } from "../../src/causality/dead-writes.ts";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import {
  type ActorId,
  type CausalRecord,
  type WriteId,
  VersionVector,
  ContextSeal,
  decodeContext,
  decodeRecord,
  encodeContext,
  encodeRecord,
  fromBase64url,
  hex,
  recordDigest,
  utf8,
} from "../../src/index.ts";

const page = readFileSync(
  new URL("../../../../docs/internals/record-format.md", import.meta.url),
  "utf8",
);

/** The hex digits in the first code block under a heading: what stands after `|` is explanation. */
function dumpUnder(heading: string): string {
  const block = page.split(`## ${heading}\n`)[1]?.split("```")[1] ?? "";
  const lines = block.split("\n").slice(1);
  return lines.map((line) => line.split("|")[0]?.replaceAll(" ", "") ?? "").join("");
}

const a = "0123456789abcdef" as ActorId;
const b = "89abcdef01234567" as ActorId;
const key = { bucket: "default", key: utf8("cart") };

const record: CausalRecord = {
  clock: VersionVector.of([
    { actor: a, counter: 300 },
    { actor: b, counter: 1 },
  ]),
  siblings: [
    {
      dots: [{ actor: a, counter: 300 }],
      value: utf8("milk"),
      contentType: "text/plain",
      writtenAt: { wallMs: 1_700_000_000_000, logical: 1 },
      writeId: "000102030405060708090a0b0c0d0e0f" as WriteId,
      expiresAtMs: undefined,
    },
  ],
  deadWrites: DeadWrites.of([
    { writeId: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" as WriteId, writtenAtMs: 1_699_999_999_000 },
  ]),
};

const context = { vector: record.clock, writes: record.deadWrites };
const clusterKey = Uint8Array.from({ length: 32 }, (_, at) => at);

it("a record has the bytes that docs/internals/record-format.md shows", () => {
  expect(hex(encodeRecord(key, record))).toBe(dumpUnder("A record, byte by byte"));
});

it("the bytes shown there are read as that record", () => {
  const decoded = decodeRecord(encodeRecord(key, record));
  expect(decoded).toMatchObject({ ok: true, bucket: "default", key: key.key });
  expect(decoded.ok && decoded.record.siblings).toEqual(record.siblings);
});

it("the digest of that record is the one shown there", () => {
  const { high, low } = recordDigest(encodeRecord(key, record));
  const text = [high, low].map((half) => half.toString(16).padStart(8, "0")).join("");
  expect(page).toContain(`\`${text}\``);
});

it("a context has the bytes and the text shown there, and is read from them", () => {
  const text = encodeContext(context, key, new ContextSeal(clusterKey)) ?? "";
  expect(hex(fromBase64url(text) ?? utf8(""))).toBe(dumpUnder("A context, byte by byte"));
  expect(page).toContain(`\n${text}\n`);
  const decoded = decodeContext(text, key, new ContextSeal(clusterKey));
  expect(decoded.ok && decoded.context.vector.toString()).toBe(record.clock.toString());
});

it("a record with a deadline has the bytes shown there, and is read from them", () => {
  const dots = [{ actor: a, counter: 1 }];
  const expiring: CausalRecord = {
    clock: VersionVector.of(dots),
    siblings: [
      {
        dots,
        value: utf8("x"),
        contentType: "",
        writtenAt: { wallMs: 1_700_000_000_000, logical: 0 },
        writeId: undefined,
        expiresAtMs: 1_700_000_060_000,
      },
    ],
    deadWrites: DeadWrites.none,
  };
  const bytes = encodeRecord({ bucket: "redis", key: utf8("s") }, expiring);
  expect(hex(bytes)).toBe(dumpUnder("A record with a deadline, byte by byte"));
  const decoded = decodeRecord(bytes);
  expect(decoded.ok && decoded.record.siblings).toEqual(expiring.siblings);
});
