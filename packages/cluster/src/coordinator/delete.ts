import {
  type CausalContext,
  type Key,
  contextOf,
  decodeContext,
  encodeContext,
} from "@coterie/core";
import { promiseOf } from "../ending.ts";
import type { ForwardedDelete } from "../messages.ts";
import type { Failure, RequestOptions, WriteOutcome } from "../requests.ts";
import { coordinate } from "./coordinate.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";
import { forwardFromFull } from "./forward.ts";
import { passOn } from "./pass-on.ts";
import { afterAttempt, planAgain } from "./plan-again.ts";
import { dressWritten } from "./presentation.ts";
import type { QuorumRead } from "./quorum-read.ts";
import { readQuorum } from "./read-quorum.ts";
import { type RequestPlan, isPrimary, planRequest } from "./request-plan.ts";

/**
 * Takes a client's delete of what `context` covers. Without a context it first reads at r and
 * deletes what it read: what somebody else writes meanwhile survives.
 */
export async function deleteKey(
  coordination: Coordination,
  key: Key,
  context: string | undefined,
  options: RequestOptions,
): Promise<WriteOutcome> {
  coordination.counters.deletes += 1;
  const planned = planRequest(coordination, key, options);
  if (!planned.ok) return planned;
  let { plan } = planned;
  coordination.hotKeys.noteWrite(plan.placed);
  let outcome = await deleteUnder(coordination, plan, context);
  while (!outcome.ok) {
    // Deleting twice what was read once does nothing more.
    const again = await planAgain(coordination, plan, outcome);
    if (again === undefined) break;
    plan = again;
    outcome = afterAttempt(outcome, await deleteUnder(coordination, plan, context));
  }
  return outcome;
}

async function deleteUnder(
  coordination: Coordination,
  plan: RequestPlan,
  context: string | undefined,
): Promise<WriteOutcome> {
  const seen = await contextToDelete(coordination, plan, context);
  if (!seen.ok) return seen;
  if (seen.context === undefined) {
    return { ok: true, context: undefined, siblings: 0, acks: seen.acks, body: undefined };
  }
  const change = { kind: "delete", context: seen.context } as const;
  let full: Failure | undefined;
  if (isPrimary(coordination, plan)) {
    const written = await coordinate(coordination, plan, change);
    if (written.ok || written.code !== "disk-full" || written.outcome !== "refused") {
      return dressWritten(coordination, plan, written, { returnBody: false });
    }
    full = written;
  }
  const text = context ?? encodeContext(seen.context, plan.placed, coordination.contextSeal);
  if (text === undefined) {
    const message = "the key's context is too long to pass on; delete it at one of its primaries";
    return failure(coordination, "too-many-actors", "refused", noAcks, message);
  }
  const request = forwardedDelete(plan, text);
  return full === undefined
    ? passOn(coordination, plan, request, change)
    : forwardFromFull(coordination, plan, request, full);
}

type ContextToDelete =
  | {
      readonly ok: true;
      /** `undefined`: the key was never written, so there is nothing to delete. */
      readonly context: CausalContext | undefined;
      readonly acks: typeof noAcks;
    }
  | Failure;

async function contextToDelete(
  coordination: Coordination,
  plan: RequestPlan,
  text: string | undefined,
): Promise<ContextToDelete> {
  if (text !== undefined) {
    const decoded = decodeContext(text, plan.placed, coordination.contextSeal);
    if (decoded.ok) return { ok: true, context: decoded.context, acks: noAcks };
    return failure(coordination, "bad-context", "refused", noAcks, decoded.reason);
  }
  const read = await promiseOf<QuorumRead>((ending) => readQuorum(coordination, plan, ending));
  if (!read.ok) return read;
  const context = read.stored === undefined ? undefined : contextOf(read.stored.record);
  return { ok: true, context, acks: read.acks };
}

function forwardedDelete(
  { placed, quorum, mode, stamp }: RequestPlan,
  context: string,
): ForwardedDelete {
  return {
    kind: "delete",
    stamp,
    bucket: placed.bucket,
    key: placed.key,
    context,
    w: quorum.w,
    pw: quorum.pw,
    mode,
  };
}
