import type { AntiEntropy } from "../anti-entropy/anti-entropy.ts";
import type { Coordination } from "../coordinator/coordination.ts";
import type { NodeEvent } from "../node-event.ts";
import type { Reaping } from "../reaping/reaping.ts";
import { refill } from "./refill.ts";

export interface RefillerParts {
  readonly coordination: Coordination;
  readonly antiEntropy: Pick<AntiEntropy, "exchangeAll">;
  /** Knows what of this node's copies may be used at all. */
  readonly reaping: Pick<Reaping, "hasLooked">;
  readonly isStopped: () => boolean;
  readonly onEvent: (event: NodeEvent) => void;
}

/** Refills what damage took, whenever something is said to be lost: one refill at a time. */
export class Refiller {
  readonly #parts: RefillerParts;
  #isRunning = false;

  constructor(parts: RefillerParts) {
    this.#parts = parts;
  }

  /** True while this node may lack records, and answers `unknown` for those. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Begins, if something is lost and no refill is under way, which would see to it too. */
  begin(): void {
    const { coordination } = this.#parts;
    const { tokens, partitions, isWhole } = coordination.store.damage();
    if (this.#isRunning || (tokens.length === 0 && partitions.length === 0 && isWhole)) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { coordination, antiEntropy, reaping, isStopped, onEvent } = this.#parts;
    await reaping.hasLooked;
    await refill(coordination, antiEntropy, isStopped);
    this.#isRunning = false;
    if (!isStopped()) onEvent({ kind: "refilled" });
  }
}
