import { type ActorId, type Dot, hex, invariant } from "@coterie/core";
import type { Random } from "@coterie/ports";
import type { ActorMark } from "./recovery/control-entries.ts";

/** Counters reserved at once: one log entry per million dots. */
const reservationBlock = 2 ** 20;

/** Appends an actor entry to the log, and tells when it is durable. */
export type RecordMark = (mark: ActorMark, onDurable: () => void) => void;

/**
 * Mints the dots of one storage lifetime. A dot that was ever handed out is never handed out again:
 * the actor is new at every start that did not follow a clean stop, and counters only grow.
 */
export class ActorMinter {
  readonly #random: Random;
  readonly #recordMark: RecordMark;
  #actor: ActorId;
  #minted: number;
  /** What the log says, or will say once what is appended is durable. */
  #reserved: number;
  /** What the log surely says. */
  #durablyReserved: number;

  /** @param resume actor and last counter of a clean stop; `undefined` draws a new actor. */
  constructor(random: Random, resume: ActorMark | undefined, recordMark: RecordMark) {
    this.#random = random;
    this.#recordMark = recordMark;
    this.#actor = resume?.actor ?? drawActor(random);
    this.#minted = resume?.counter ?? 0;
    this.#reserved = this.#minted + reservationBlock;
    this.#durablyReserved = this.#minted;
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
    invariant(this.#minted < this.#durablyReserved, "a dot is minted within what is reserved");
    this.#minted += 1;
    if (this.#reserved - this.#minted === reservationBlock / 2) {
      this.#reserved += reservationBlock;
      this.record();
    }
    return { actor: this.#actor, counter: this.#minted };
  }

  /** Writes the actor and its reservation into the log. */
  record(): void {
    const { mark } = this;
    this.#recordMark(mark, () => {
      if (mark.actor === this.#actor) this.#durablyReserved = mark.counter;
    });
  }

  /**
   * From now on another actor mints: after damage or a rollback. Its first dots need no reservation
   * to be durable: should the process end before, the next one draws an actor of its own.
   */
  renew(): void {
    this.#actor = drawActor(this.#random);
    this.#minted = 0;
    this.#reserved = reservationBlock;
    this.#durablyReserved = reservationBlock;
    this.record();
  }
}

function drawActor(random: Random): ActorId {
  return hex(random.bytes(8)) as ActorId;
}
