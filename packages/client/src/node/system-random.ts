import { type WriteId, hex } from "@coterie/core";
import type { Random } from "../engine/random.ts";

const writeIdBytes = 16;
/** Drawn together: one call of the generator costs more than its bytes. */
const pooledIds = 256;

/** Chance from the platform; write ids from its cryptographic generator. */
export class SystemRandom implements Random {
  readonly #pool = new Uint8Array(writeIdBytes * pooledIds);
  #at: number = this.#pool.length;

  fraction(): number {
    return Math.random();
  }

  writeId(): WriteId {
    if (this.#at === this.#pool.length) {
      crypto.getRandomValues(this.#pool);
      this.#at = 0;
    }
    this.#at += writeIdBytes;
    return hex(this.#pool, this.#at - writeIdBytes, this.#at) as WriteId;
  }
}
