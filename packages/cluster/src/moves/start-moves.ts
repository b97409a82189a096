import type { AgreedDocument } from "../agreement/agreed-document.ts";
import type { AntiEntropy } from "../anti-entropy/anti-entropy.ts";
import type { Coordination } from "../coordinator/coordination.ts";
import type { GainedFences } from "./gained-fences.ts";
import { Mover } from "./mover.ts";

export interface MovesStart {
  readonly agreement: Pick<AgreedDocument, "change">;
  readonly antiEntropy: AntiEntropy;
  readonly gained: GainedFences;
}

/** Has a node carry out its part of what is to move, from now on. */
export function startMoves(
  coordination: Coordination,
  { agreement, antiEntropy, gained }: MovesStart,
): Mover {
  const mover = new Mover({
    ...coordination,
    antiEntropy,
    gained,
    change: (change, deadline) => agreement.change(change, deadline),
  });
  gained.whenLearned(() => mover.wakeAll());
  mover.adopt();
  return mover;
}
