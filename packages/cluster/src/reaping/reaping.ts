import type { PartitionId } from "@coterie/core";
import type { Coordination } from "../coordinator/coordination.ts";
import type {
  AskFencesRequest,
  PeerResponse,
  RaiseFenceRequest,
  ReapRequest,
} from "../messages.ts";
import type { NodeConfig } from "../node-config.ts";
import { raiseFence } from "./answer-reaping.ts";
import { FenceWatch, type FenceWatchParts } from "./fence-watch.ts";
import { Reaper, type ReaperParts, type ReapingView } from "./reaper.ts";

/** What nodes ask of each other to forget tombstones. */
export type ReapingRequest = RaiseFenceRequest | ReapRequest | AskFencesRequest;

export interface ReapingStart extends ReaperParts, Omit<FenceWatchParts, "self" | "ring"> {
  readonly onDiscard: (partitions: readonly PartitionId[]) => void;
}

/** Begins to reap, and to notice what others have reaped. */
export function startReaping(
  coordination: Coordination,
  { onEvent, reaping }: NodeConfig,
  onDiscard: (partitions: readonly PartitionId[]) => void,
): Reaping {
  const started = new Reaping({
    ...coordination,
    ...reaping,
    onCut: (records) => onEvent({ kind: "clocks-cut", records }),
    onDiscard: (partitions) => {
      onEvent({ kind: "discarded", partitions: partitions.length });
      onDiscard(partitions);
    },
  });
  started.begin();
  return started;
}

/** All that one node does to have tombstones forgotten, and to notice that others have. */
export class Reaping {
  readonly #parts: ReapingStart;
  readonly #watch: FenceWatch;
  readonly #reaper: Reaper;

  constructor(parts: ReapingStart) {
    this.#parts = parts;
    this.#watch = new FenceWatch(parts);
    this.#reaper = new Reaper(parts);
  }

  begin(): void {
    this.#watch.begin();
    this.#reaper.begin();
  }

  receive(request: ReapingRequest, settle: (response: PeerResponse) => void): void {
    switch (request.kind) {
      case "ask-fences":
        return settle(this.#answerFences());
      case "raise-fence":
        void raiseFence(this.#parts, request).then(settle);
        return;
      case "reap":
        void this.#reaper.receiveReap(request).then(settle);
    }
  }

  /** Resolves once this node has looked whether it is behind others, and done what follows. */
  get hasLooked(): Promise<void> {
    return this.#watch.hasLooked;
  }

  #answerFences(): PeerResponse {
    const { fences, store } = this.#parts;
    const { isWhole, partitions } = store.damage();
    return { kind: "fences", fences: fences.all(), isWhole: isWhole && partitions.length === 0 };
  }

  view(): ReapingView {
    return this.#reaper.view();
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    await this.#reaper.stop();
    await this.#watch.stop();
    await this.#parts.fences.stop();
  }
}
