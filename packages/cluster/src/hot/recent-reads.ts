import type { Quorum, RequestMode } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { QuorumAnswer } from "../coordinator/quorum-read.ts";
import { BoundedByKey, type PlacedName } from "./bounded-by-key.ts";
import { ownRecord } from "./copy-cache.ts";

/** What of a get's plan says whether an earlier read would do. */
export interface RecentPlan {
  readonly placed: PlacedName;
  readonly quorum: Pick<Quorum, "r" | "pr">;
  readonly mode: RequestMode;
}

interface RecentRead extends Omit<RecentPlan, "placed"> {
  readonly answer: QuorumAnswer;
}

/**
 * What reads have found of keys of which gets take what was true a while ago. An answer is as old
 * as the moment in which its replicas began to be asked: what was acknowledged by then is in it.
 */
export class RecentReads {
  readonly #reads: BoundedByKey<RecentRead>;

  constructor(bytesMax: number) {
    this.#reads = new BoundedByKey(bytesMax);
  }

  /** Memory that the answers take, roughly. */
  get bytes(): number {
    return this.#reads.bytes;
  }

  /** An answer of as many replicas, whose read began no longer than `staleMs` ago. */
  find(plan: RecentPlan, staleMs: number, nowMs: MonotonicMs): QuorumAnswer | undefined {
    const recent = this.#reads.find(plan.placed);
    if (recent === undefined || nowMs - recent.answer.beganMs > staleMs) return undefined;
    const { quorum, mode } = recent;
    const isEnough = quorum.r >= plan.quorum.r && quorum.pr >= plan.quorum.pr;
    return isEnough && (mode === "strict" || mode === plan.mode) ? recent.answer : undefined;
  }

  /** Keeps an answer in place of what there is for its key. */
  keep({ placed, quorum, mode }: RecentPlan, answer: QuorumAnswer): void {
    const stored = answer.stored === undefined ? undefined : ownRecord(answer.stored);
    const { acks, beganMs } = answer;
    const own = { ok: true, stored, acks, beganMs } as const;
    this.#reads.keep(placed, { quorum, mode, answer: own }, stored?.bytes.length ?? 0);
  }
}
