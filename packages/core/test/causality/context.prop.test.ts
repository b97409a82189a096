import { DeadWrites } from "../../src/causality/dead-writes.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ByteWriter,
  type Key,
  VersionVector,
  base64url,
  contextOf,
  ContextSeal,
  decodeContext,
  encodeContext,
  fromBase64url,
  limits,
  utf8,
} from "../../src/index.ts";
import { actorNamed, writeIdNamed } from "./history.ts";
import { damaged, reachableRecord } from "./arbitraries.ts";

const key: Key = { bucket: "default", key: utf8("cart:7") };
const clusterKey = Uint8Array.from({ length: 32 }, (_, at) => at);
const seal = new ContextSeal(clusterKey);

const encoded = reachableRecord.map((record) => {
  const text = encodeContext(contextOf(record), key, seal);
  return { context: contextOf(record), text: text ?? "" };
});

/** A context with a valid tag, around whatever body: what only the cluster's key can make. */
function signed(body: readonly number[]): string {
  const writer = new ByteWriter();
  writer.lengthPrefixed(utf8(key.bucket));
  writer.lengthPrefixed(key.key);
  writer.bytes(Uint8Array.from(body));
  const tag = seal.tag(writer.finish());
  return base64url(Uint8Array.from([...body, ...tag]));
}

const actorBytes = [0, 0, 0, 0, 0, 0, 0, 1];
const maxSafe = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];

describe("a context", () => {
  it("comes back as it was given out", () => {
    fc.assert(
      fc.property(encoded, ({ context, text }) => {
        const decoded = decodeContext(text, key, seal);
        expect(decoded.ok).toBe(true);
        if (!decoded.ok) return;
        expect(decoded.context.vector.compare(context.vector)).toBe("equal");
        expect(decoded.context.writes).toEqual(context.writes);
      }),
      { numRuns: 1000 },
    );
  });

  it("is refused for another bucket, another key and by another cluster", () => {
    fc.assert(
      fc.property(encoded, fc.uint8Array({ minLength: 1 }), ({ text }, other) => {
        const isOther = other.join() !== key.key.join();
        const places: [Key, Uint8Array][] = [
          [{ ...key, bucket: "defaul" }, clusterKey],
          [{ bucket: "defaultc", key: utf8("art:7") }, clusterKey],
          [key, Uint8Array.from(clusterKey, (byte) => byte ^ 1)],
        ];
        if (isOther) places.push([{ ...key, key: other }, clusterKey]);
        for (const [place, secret] of places) {
          expect(decodeContext(text, place, new ContextSeal(secret))).toMatchObject({
            code: "bad-context",
          });
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("is refused when it was damaged, cut, extended or made up", () => {
    const input = encoded.chain(({ text }) =>
      fc
        .oneof(
          damaged(fromBase64url(text) ?? new Uint8Array()).map(base64url),
          damaged(utf8(text)).map((bytes) => String.fromCharCode(...bytes)),
          fc.string({ unit: "binary" }),
        )
        .filter((other) => other !== text),
    );
    fc.assert(
      fc.property(input, (text) => {
        expect(decodeContext(text, key, seal)).toMatchObject({
          ok: false,
          code: "bad-context",
        });
      }),
      { numRuns: 3000 },
    );
  });

  it.each<[string, string, string]>([
    ["nothing", "", "too short"],
    ["a tag alone", base64url(new Uint8Array(8)), "too short"],
    ["a mebibyte of text", "A".repeat(1024 * 1024), "too long"],
    ["100 000 actors", base64url(new Uint8Array(900_000)), "too long"],
    ["an announced 100 000 actors", signed([1, 0xa0, 0x8d, 0x06, ...actorBytes, 1]), "malformed"],
    ["a counter of 2^53 - 1", signed([1, 1, ...actorBytes, ...maxSafe, 0]), "malformed"],
    ["a counter of 0", signed([1, 1, ...actorBytes, 0, 0]), "malformed"],
    ["an actor twice", signed([1, 2, ...actorBytes, 1, ...actorBytes, 1, 0]), "malformed"],
    ["more ids than are kept", signed([1, 0, 65]), "malformed"],
    ["trailing bytes", signed([1, 0, 0, 0]), "malformed"],
    ["an unknown version", signed([2, 0, 0]), "version"],
  ])("is refused with %s", (_, text, reason) => {
    const decoded = decodeContext(text, key, seal);
    expect(decoded).toMatchObject({ ok: false, code: "bad-context" });
    expect(decoded.ok ? "" : decoded.reason).toContain(reason);
  });

  it("leaves out the oldest write ids before it grows beyond its limit", () => {
    const dots = Array.from({ length: 150 }, (_, at) => ({ actor: actorNamed(at), counter: 9 }));
    const writes = DeadWrites.of(
      Array.from({ length: 64 }, (_, at) => ({
        writeId: writeIdNamed(at),
        writtenAtMs: 1000 + at,
      })),
    );
    const text = encodeContext({ vector: VersionVector.of(dots), writes }, key, seal) ?? "";
    expect(text.length).toBeLessThanOrEqual(limits.contextTextMax);
    const decoded = decodeContext(text, key, seal);
    const kept = decoded.ok ? decoded.context.writes.toArray() : [];
    expect(decoded.ok && decoded.context.vector.size).toBe(150);
    expect(kept.length).toBeGreaterThan(0);
    expect(Math.min(...kept.map((entry) => entry.writtenAtMs))).toBe(1064 - kept.length);
  });

  it("is not given out when its vector alone is beyond the limit", () => {
    const dots = Array.from({ length: 400 }, (_, at) => ({ actor: actorNamed(at), counter: 9 }));
    const context = { vector: VersionVector.of(dots), writes: DeadWrites.none };
    expect(encodeContext(context, key, seal)).toBeUndefined();
  });
});
