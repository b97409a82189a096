import { sha256 } from "@noble/hashes/sha2.js";
import { invariant } from "../invariant.ts";

/** Of SHA-256: what it takes at once. */
const blockBytes = 64;
const digestBytes = 32;
const keyBytesMax = 32;

/** Bytes of a tag. A forger needs 2^63 requests on average. */
export const tagBytes = 8;

/** SHA-256 of the bytes: what is returned may be overwritten by the next call. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/**
 * Tags what only this cluster may issue: the first 8 bytes of SHA-256 over the cluster's key,
 * padded with zeros to a block of its own, and the input. The rest of the digest stays here,
 * without which a tag cannot be extended to a longer input (Coron, Dodis, Malinaud and Puniya,
 * "Merkle-Damgård Revisited", 2005, section 3.4: chopping). Of our own hash the state after the
 * key's block is kept, so that a short context takes one or two blocks, and no memory; a long one,
 * which names 64 writes, takes 23, and the platform's hash a seventh of the time.
 */
export class ContextSeal {
  readonly #keyed: ReturnType<typeof sha256.create>;
  readonly #scratch: ReturnType<typeof sha256.create> = sha256.create();
  readonly #digest: Uint8Array = new Uint8Array(digestBytes);
  readonly #platform: Sha256 | undefined;
  /** The key's block, and room behind it. */
  #message: Uint8Array;

  /** @param platform SHA-256 as the platform does it; left out: our own. */
  constructor(clusterKey: Uint8Array, platform?: Sha256) {
    invariant(clusterKey.length <= keyBytesMax, "a cluster's key has 32 bytes");
    const block = new Uint8Array(blockBytes);
    block.set(clusterKey);
    this.#keyed = sha256.create().update(block);
    this.#platform = platform;
    this.#message = block;
  }

  /** The tag of `input`; valid until the next call. */
  tag(input: Uint8Array): Uint8Array {
    if (this.#platform !== undefined) {
      return this.#platform(this.#behindKey(input)).subarray(0, tagBytes);
    }
    this.#keyed._cloneInto(this.#scratch).update(input).digestInto(this.#digest);
    return this.#digest.subarray(0, tagBytes);
  }

  #behindKey(input: Uint8Array): Uint8Array {
    const end = blockBytes + input.length;
    if (end > this.#message.length) {
      const grown = new Uint8Array(end * 2);
      grown.set(this.#message.subarray(0, blockBytes));
      this.#message = grown;
    }
    this.#message.set(input, blockBytes);
    return this.#message.subarray(0, end);
  }
}
