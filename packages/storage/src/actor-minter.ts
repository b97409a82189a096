import { type ActorId, type Dot, hex, invariant } from "@coterie/core";
import type { Random } from "@coterie/ports";
import type { ActorMark } from "./recovery/control-entries.ts";

/** Counters reserved at once: one log entry per million dots. */
const reservationBlock = 2 ** 20;

/**
 * Mints the dots of one storage lifetime. A dot that was ever handed out is never handed out again:
 * the actor is new at every start that did not follow a clean stop, and counters only grow.
 */
export class ActorMinter {
  readonly #random: Random;
  /** Appends an actor entry to the log, before anything that is appended after it. */
  readonly #record: (mark: ActorMark) => void;
  #actor: ActorId;
  #minted: number;
  #reserved: number;

  /** @param resume actor and last counter of a clean stop; `undefined` draws a new actor. */
  constructor(random: Random, resume: ActorMark | undefined, record: (mark: ActorMark) => void) {
    this.#random = random;
    this.#record = record;
    this.#actor = resume?.actor ?? drawActor(random);
    this.#minted = resume?.counter ?? 0;
    this.#reserved = this.#minted + reservationBlock;
  }

  get actor(): ActorId {
    return this.#actor;
  }

  get minted(): number {
    return this.#minted;
  }

  /** What an actor entry says now. */
  get mark(): ActorMark {
    return { actor: this.#actor, counter: this.#reserved };
  }

  mint(): Dot {
    this.#minted += 1;
    invariant(this.#minted <= this.#reserved, "a dot is minted within the reservation");
    if (this.#reserved - this.#minted === reservationBlock / 2) {
      this.#reserved += reservationBlock;
      this.#record(this.mark);
    }
    return { actor: this.#actor, counter: this.#minted };
  }

  /** From now on another actor mints: after damage or a rollback. */
  renew(): ActorId {
    this.#actor = drawActor(this.#random);
    this.#minted = 0;
    this.#reserved = reservationBlock;
    this.#record(this.mark);
    return this.#actor;
  }
}

function drawActor(random: Random): ActorId {
  return hex(random.bytes(8)) as ActorId;
}
