import {
  type DifferingToken,
  type InTurns,
  answer,
  isAnswerable,
  partitionOf,
} from "@coterie/core";
import type { Clock } from "@coterie/ports";
import type { CompareRequest, LookRequest, LookedEntry, PeerResponse } from "../messages.ts";
import { refusal } from "../replica/replica.ts";
import type { SharedSource, SharedSources } from "./shared-source.ts";
import { nextTurn } from "../pause.ts";

/** Tokens that one message may look at. */
export const looksMax = 4096;
/** Of them, before others get a turn. */
const looksPerTurn = 512;

export interface AnswerParts {
  readonly clock: Clock;
  readonly replica: { readonly sources: SharedSources };
}

const otherOwners = refusal("stale-epoch", "the owners of partitions are others now");

/** Answers a {@link CompareRequest}: reads nothing but the index. */
export async function answerCompare(
  { clock, replica }: AnswerParts,
  { sender, questions }: CompareRequest,
): Promise<PeerResponse> {
  if (!(await replica.sources.settled())) return otherOwners;
  const source = replica.sources.of(sender);
  if (!isAnswerable(source, questions)) {
    return refusal("malformed", "there is no such node in what both of us hold");
  }
  return { kind: "compared", differences: await inTurns(clock, answer(source, questions)) };
}

/** Answers a {@link LookRequest}. */
export async function answerLook(
  { clock, replica }: AnswerParts,
  { sender, tokens }: LookRequest,
): Promise<PeerResponse> {
  if (!(await replica.sources.settled())) return otherOwners;
  const source = replica.sources.of(sender);
  if (tokens.length > looksMax) return refusal("too-large", "too many tokens at once");
  const places = tokens.map((token) => ({
    partition: partitionOf(token, source.partitions),
    token,
  }));
  return { kind: "looked", entries: await entriesUnder(clock, source, places) };
}

/** What is held under these tokens, in their order. */
export async function entriesUnder(
  clock: Clock,
  source: SharedSource,
  places: readonly DifferingToken[],
): Promise<readonly LookedEntry[]> {
  const entries: LookedEntry[] = [];
  for (let at = 0; at < places.length; at += looksPerTurn) {
    if (at > 0) await nextTurn(clock);
    for (const { token, digest, place } of await source.under(
      places.slice(at, at + looksPerTurn),
    )) {
      entries.push({ token, digest, place });
    }
  }
  return entries;
}

/** Does the work, waits for what it waits for, and lets others have a turn where it says so. */
export async function inTurns<Result>(clock: Clock, work: InTurns<Result>): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await (value ?? nextTurn(clock));
  }
}
