import type { GetOutcome, WriteOutcome } from "@coterie/cluster";
import { type FailureFacts, failureBody, failureStatus } from "../responses.ts";
import { siblingsJson } from "../siblings-body.ts";

/** A line of the answer: which line it answers, and what a request of its own would have got. */
export type BatchReply = Readonly<Record<string, unknown>>;

export function getReply(line: number, outcome: GetOutcome): BatchReply {
  if (!outcome.ok) return failureReply(line, outcome);
  const { siblings, context, acks } = outcome;
  const found = { ...siblingsJson(context, siblings), acks };
  if (siblings.length === 0) {
    const failure = { code: "not-found", message: "the key holds no value" } as const;
    return { ...failureReply(line, failure), ...found };
  }
  return { line, status: siblings.length === 1 ? 200 : 300, ...found };
}

export function writeReply(line: number, outcome: WriteOutcome, isCreate: boolean): BatchReply {
  if (!outcome.ok) return failureReply(line, outcome);
  const { context, siblings, acks, body } = outcome;
  const reply = { line, context: context ?? null, siblings, acks };
  if (body !== undefined) {
    return { ...reply, status: 200, body: siblingsJson(context, body)["siblings"] };
  }
  return { ...reply, status: isCreate ? 201 : 204 };
}

export function failureReply(line: number, failure: FailureFacts): BatchReply {
  return { line, status: failureStatus(failure), ...failureBody(failure) };
}
