import { ByteReader } from "../bytes/reader.ts";
import { base64url, fromBase64url, utf8 } from "../bytes/text.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { Key } from "../key.ts";
import { limits } from "../limits.ts";
import { type ContextSeal, tagBytes } from "./context-seal.ts";
import { DeadWrites } from "./dead-writes.ts";
import { readVector, writeVector } from "./record-codec.ts";
import type { VersionVector } from "./version-vector.ts";

/** What a client has read of one key, as the server understands it. */
export interface CausalContext {
  readonly vector: VersionVector;
  /** Ids of the writes read, alive or dead, so that a late retry of one of them stays harmless. */
  readonly writes: DeadWrites;
}

export type DecodedContext =
  | { readonly ok: true; readonly context: CausalContext }
  | { readonly ok: false; readonly code: "bad-context"; readonly reason: string };

const CONTEXT_VERSION = 1;
/** Used for one context after the other. */
const writer: ByteWriter = new ByteWriter(1024);

/**
 * The opaque text handed to clients: base64url of version, vector, write ids and 8 bytes of a keyed
 * hash ({@link ContextSeal}) over bucket, key and those. `undefined` if it would be longer than
 * `limits.contextTextMax`. Write ids are left out, oldest first, before a vector is.
 */
export function encodeContext(
  context: CausalContext,
  key: Key,
  seal: ContextSeal,
): string | undefined {
  for (let writes = context.writes; ; writes = writes.newest(writes.size >> 1)) {
    bindTo(key);
    const start = writer.length;
    writer.u8(CONTEXT_VERSION);
    writeVector(writer, context.vector);
    writes.writeUnmarked(writer);
    writer.bytes(seal.tag(writer.view(0)));
    const text = base64url(writer.view(start));
    if (text.length <= limits.contextTextMax) return text;
    if (writes.size === 0) return undefined;
  }
}

/**
 * Reads a context that a client sent for `key`. Contexts are input from strangers: one that was
 * forged, damaged, or taken from another key is refused; with counters shared by all keys, a
 * foreign one would cover siblings that nobody read.
 */
export function decodeContext(text: string, key: Key, seal: ContextSeal): DecodedContext {
  if (text.length > limits.contextTextMax) return bad("the context is too long");
  const bytes = fromBase64url(text);
  if (bytes === undefined) return bad("the context is not base64url");
  if (bytes.length <= tagBytes) return bad("the context is too short");
  const body = bytes.subarray(0, bytes.length - tagBytes);
  bindTo(key);
  writer.bytes(body);
  if (!isTag(bytes.subarray(body.length), seal.tag(writer.view(0)))) {
    return bad("the context was not issued by this cluster for this key");
  }
  const reader = new ByteReader(body);
  if (reader.u8() !== CONTEXT_VERSION) return bad("the context has an unknown version");
  const vector = readVector(reader);
  const writes = DeadWrites.readUnmarked(reader);
  if (reader.failed || reader.remaining > 0) return bad("the context is malformed");
  return { ok: true, context: { vector, writes } };
}

function bad(reason: string): DecodedContext {
  return { ok: false, code: "bad-context", reason };
}

/** Compares in constant time: how much of a guess was right must not show. */
function isTag(claimed: Uint8Array, actual: Uint8Array): boolean {
  let difference = 0;
  for (let at = 0; at < tagBytes; at += 1) {
    difference |= (claimed[at] as number) ^ (actual[at] as number);
  }
  return difference === 0;
}

/** Begins with what a tag covers beside the context: its bucket and key. */
function bindTo({ bucket, key }: Key): void {
  writer.reset();
  writer.lengthPrefixed(utf8(bucket));
  writer.lengthPrefixed(key);
}
