import type { Random } from "@coterie/client/testing";
import { type WriteId, hex } from "@coterie/core";
import type { SeededRandom } from "@coterie/sim";

/** A client's chance, from the seed. */
export class SeededChance implements Random {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  fraction(): number {
    return this.#random.below(2 ** 32) / 2 ** 32;
  }

  writeId(): WriteId {
    return hex(this.#random.bytes(16)) as WriteId;
  }
}
