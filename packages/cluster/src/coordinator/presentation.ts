import {
  type BucketSettings,
  type CausalRecord,
  type ContextSeal,
  type Key,
  type Sibling,
  compareLatestFirst,
  contextAfterPut,
  encodeContext,
  isExpired,
  latestSibling,
  unexpiredSiblings,
} from "@coterie/core";
import type { PutInput, WriteOutcome } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import type { RequestPlan } from "./request-plan.ts";
import type { Written, WrittenRecord } from "./write.ts";

/**
 * What a client of `bucket` sees of a record at `nowMs`: all siblings that have not expired, or in
 * an `lww` bucket the latest. If that one has expired nothing is seen: what it won over stays
 * hidden.
 */
export function shownSiblings(
  bucket: BucketSettings,
  record: CausalRecord,
  nowMs: number,
): readonly Sibling[] {
  if (bucket.policy !== "lww") return unexpiredSiblings(record.siblings, nowMs);
  const latest = latestSibling(record.siblings);
  return latest === undefined || isExpired(latest, nowMs) ? [] : [latest];
}

/**
 * Every sibling that has not expired, for whoever wants to see what an `lww` bucket hides: there
 * the latest comes first, unless it has expired and is not there.
 */
export function allSiblings(
  bucket: BucketSettings,
  record: CausalRecord,
  nowMs: number,
): readonly Sibling[] {
  const siblings = unexpiredSiblings(record.siblings, nowMs);
  return bucket.policy === "lww" ? siblings.toSorted(compareLatestFirst) : siblings;
}

/**
 * The context that a write returns: none while siblings remain that the client has not read. A
 * tombstone has none, and its context lets the key be created anew without a conflict.
 */
export function contextAfterWrite(
  key: Key,
  { record, dot, writeId }: WrittenRecord,
  contextSeal: ContextSeal,
): string | undefined {
  const context = contextAfterPut(record, { dot, writeId });
  return context === undefined ? undefined : encodeContext(context, key, contextSeal);
}

/** Dresses a write's result for a client. */
export function dressWritten(
  coordination: Coordination,
  plan: RequestPlan,
  written: Written,
  { returnBody, withoutContext }: Pick<PutInput, "returnBody" | "withoutContext">,
): WriteOutcome {
  if (!written.ok) {
    const { ok, code, message, outcome, acks } = written;
    return { ok, code, message, outcome, acks };
  }
  const siblings = shownSiblings(plan.bucket, written.record, plan.nowMs);
  return {
    ok: true,
    context:
      withoutContext === true
        ? undefined
        : contextAfterWrite(plan.placed, written, coordination.contextSeal),
    siblings: siblings.length,
    acks: written.acks,
    body: returnBody ? siblings : undefined,
  };
}
