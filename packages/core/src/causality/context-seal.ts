import { sha256 } from "@noble/hashes/sha2.js";
import { invariant } from "../invariant.ts";

/** Of SHA-256: what it takes at once. */
const blockBytes = 64;
const digestBytes = 32;
const keyBytesMax = 32;

/** Bytes of a tag. A forger needs 2^63 requests on average. */
export const tagBytes = 8;

/**
 * Tags what only this cluster may issue: the first 8 bytes of SHA-256 over the cluster's key,
 * padded with zeros to a block of its own, and the input. The rest of the digest stays here,
 * without which a tag cannot be extended to a longer input (Coron, Dodis, Malinaud and Puniya,
 * "Merkle-Damgård Revisited", 2005, section 3.4: chopping). The state after the key's block is
 * kept, so that a context takes one or two blocks, and no memory.
 */
export class ContextSeal {
  readonly #keyed: ReturnType<typeof sha256.create>;
  readonly #scratch: ReturnType<typeof sha256.create> = sha256.create();
  readonly #digest: Uint8Array = new Uint8Array(digestBytes);

  constructor(clusterKey: Uint8Array) {
    invariant(clusterKey.length <= keyBytesMax, "a cluster's key has 32 bytes");
    const block = new Uint8Array(blockBytes);
    block.set(clusterKey);
    this.#keyed = sha256.create().update(block);
  }

  /** The tag of `input`; valid until the next call. */
  tag(input: Uint8Array): Uint8Array {
    this.#keyed._cloneInto(this.#scratch).update(input).digestInto(this.#digest);
    return this.#digest.subarray(0, tagBytes);
  }
}
