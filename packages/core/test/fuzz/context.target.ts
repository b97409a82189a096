import { equal } from "node:assert/strict";
import {
  ByteWriter,
  DeadWrites,
  type WriteId,
  VersionVector,
  base64url,
  ContextSeal,
  decodeContext,
  encodeContext,
  fromBase64url,
  latin1,
  utf8,
} from "../../src/index.ts";
import type { ActorId } from "../../src/index.ts";

const key = { bucket: "default", key: utf8("k") };
const clusterKey = new Uint8Array(32).fill(7);
const seal = new ContextSeal(clusterKey);

function seedOf(actors: number, writes: number): Uint8Array {
  const context = {
    vector: VersionVector.of(
      Array.from({ length: actors }, (_, at) => ({
        actor: at.toString(16).padStart(16, "0") as ActorId,
        counter: at * 1000 + 1,
      })),
    ),
    writes: DeadWrites.of(
      Array.from({ length: writes }, (_, at) => ({
        writeId: at.toString(16).padStart(32, "0") as WriteId,
        writtenAtMs: 1_700_000_000_000 + at,
      })),
    ),
  };
  const bytes = fromBase64url(encodeContext(context, key, seal) ?? "");
  return (bytes as Uint8Array).slice(0, -8);
}

/** The body of a context, which this seals: what a stranger who knew the key could send. */
export const seeds: readonly Uint8Array[] = [seedOf(0, 0), seedOf(3, 0), seedOf(2, 3)];

export function run(input: Uint8Array): void {
  equal(decodeContext(latin1(input), key, seal).ok, false);
  const text = sealed(input);
  const decoded = decodeContext(text, key, seal);
  if (decoded.ok) equal(encodeContext(decoded.context, key, seal), text);
}

function sealed(body: Uint8Array): string {
  const writer = new ByteWriter(256 + body.length);
  writer.lengthPrefixed(utf8(key.bucket));
  writer.lengthPrefixed(key.key);
  const start = writer.length;
  writer.bytes(body);
  writer.bytes(seal.tag(writer.view(0)));
  return base64url(writer.view(start));
}
