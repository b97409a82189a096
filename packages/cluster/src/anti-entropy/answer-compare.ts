import { type InTurns, answer, isAnswerable, partitionOf } from "@coterie/core";
import type { Clock } from "@coterie/ports";
import type { CompareRequest, LookRequest, PeerResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import { refusal } from "../replica/replica.ts";
import type { SharedSources } from "./shared-source.ts";

/** Tokens that one message may look at. */
export const looksMax = 1024;

export interface AnswerParts {
  readonly clock: Clock;
  readonly replica: { readonly sources: SharedSources };
}

/** Answers a {@link CompareRequest}: reads nothing but the index. */
export async function answerCompare(
  { clock, replica }: AnswerParts,
  { sender, questions }: CompareRequest,
): Promise<PeerResponse> {
  const source = replica.sources.of(sender);
  if (!isAnswerable(source, questions)) {
    return refusal("malformed", "there is no such node in what both of us own");
  }
  return { kind: "compared", differences: await inTurns(clock, answer(source, questions)) };
}

/** Answers a {@link LookRequest}. */
export function answerLook({ replica }: AnswerParts, request: LookRequest): PeerResponse {
  const source = replica.sources.of(request.sender);
  if (request.tokens.length > looksMax) return refusal("too-large", "too many tokens at once");
  const tokens = request.tokens.map((token) => ({
    partition: partitionOf(token, source.partitions),
    token,
  }));
  return { kind: "listed", entries: [...source.under(tokens)] };
}

/** Does the work, and lets others have a turn where it says so. */
export async function inTurns<Result>(clock: Clock, work: InTurns<Result>): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    const { promise, settle } = oneShot<void>();
    clock.afterTurn(settle);
    await promise;
  }
}
