import {
  type CausalContext,
  type Dot,
  type Key,
  type Lifetime,
  type WriteId,
  decodeContext,
  emptyRecord,
  lifetimeProblem,
  limits,
} from "@coterie/core";
import { promiseOf } from "../ending.ts";
import type { ForwardedPut } from "../messages.ts";
import type { Failure, PutInput, RequestOptions, WriteOutcome } from "../requests.ts";
import type { Change } from "./change.ts";
import { coordinate } from "./coordinate.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";
import { forwardFromFull, newWriteId } from "./forward.ts";
import { passOn } from "./pass-on.ts";
import { afterAttempt, planAgain } from "./plan-again.ts";
import { dressWritten, shownSiblings } from "./presentation.ts";
import type { QuorumRead } from "./quorum-read.ts";
import { readQuorum } from "./read-quorum.ts";
import { type RequestPlan, isPrimary, planRequest } from "./request-plan.ts";

/** Takes a client's put: coordinates it here if this node is a primary, passes it on if not. */
export function put(
  coordination: Coordination,
  key: Key,
  input: PutInput,
  options: RequestOptions,
): Promise<WriteOutcome> {
  coordination.counters.puts += 1;
  coordination.counters.putBytes += input.value.length;
  const planned = planRequest(coordination, key, options);
  if (!planned.ok) return Promise.resolve(planned);
  coordination.hotKeys.noteWrite(planned.plan.placed);
  const checked = checkPut(coordination, key, input);
  if (!checked.ok) return Promise.resolve(checked);
  return putUnder(coordination, planned.plan, input, checked.context);
}

/** A put, and the dot under which an earlier attempt wrote it into the copy held here. */
type PutAttempt = PutInput & { readonly earlier?: Dot | undefined };

/**
 * Puts under one plan, and if that fails as the owners have changed, under the next. All attempts
 * are one write: by its id, which it gets where it is passed on or its owners are about to change;
 * else by the dot under which this node holds it already, as long as it coordinates it.
 */
async function putUnder(
  coordination: Coordination,
  plan: RequestPlan,
  input: PutAttempt,
  context: CausalContext | undefined,
): Promise<WriteOutcome> {
  const isOwn = isPrimary(coordination, plan);
  const isNamed = input.writeId !== undefined || input.earlier !== undefined;
  const needsId = !isNamed && (!isOwn || coordination.ring().isMoving);
  const identified = needsId ? { ...input, writeId: newWriteId(coordination) } : input;
  let outcome: WriteOutcome | undefined;
  let earlier: Dot | undefined;
  if (input.ifAbsent && input.earlier === undefined) {
    outcome = await refuseIfPresent(coordination, plan, identified.writeId);
  }
  if (outcome === undefined) {
    const change = putChange(identified, context);
    if (isOwn) {
      const written = await coordinate(coordination, plan, change);
      // What an earlier attempt wrote stays this put's, though this one wrote nothing.
      if (!written.ok && identified.writeId === undefined) earlier = written.dot ?? input.earlier;
      const isUnwritten = !written.ok && written.outcome === "refused" && earlier === undefined;
      outcome =
        isUnwritten && written.code === "disk-full"
          ? await forwardFromFull(coordination, plan, forwardedPut(plan, identified), written)
          : dressWritten(coordination, plan, written, input);
    } else outcome = await passOn(coordination, plan, forwardedPut(plan, identified), change);
  }
  if (outcome.ok) return outcome;
  const isOneWrite = identified.writeId !== undefined || earlier !== undefined;
  if (outcome.outcome === "unknown" && !isOneWrite) return outcome;
  const again = await planAgain(coordination, plan, outcome);
  if (again === undefined) return outcome;
  if (earlier !== undefined && !isPrimary(coordination, again)) return outcome;
  const next = { ...identified, earlier };
  return afterAttempt(outcome, await putUnder(coordination, again, next, context));
}

/** Field by field: a spread of what a door decoded costs a microsecond. */
function putChange(
  { value, contentType, writeId, earlier, ttlMs, expiresAtMs }: PutAttempt,
  context: CausalContext | undefined,
): Change {
  return { kind: "put", value, contentType, context, writeId, earlier, ttlMs, expiresAtMs };
}

export type CheckedPut =
  | { readonly ok: true; readonly context: CausalContext | undefined }
  | Failure;

/** What can be said of a put before anybody is asked: its size, and whether its context is ours. */
export function checkPut(
  coordination: Coordination,
  key: Key,
  input: Pick<PutInput, "value" | "contentType" | "context"> & Lifetime,
): CheckedPut {
  const { length } = input.value;
  if (length > limits.valueBytesMax) {
    const message = `the value has ${length} bytes, more than ${limits.valueBytesMax}`;
    return failure(coordination, "too-large", "refused", noAcks, message);
  }
  if (input.contentType.length > limits.contentTypeBytesMax) {
    const message = `the content type is longer than ${limits.contentTypeBytesMax} bytes`;
    return failure(coordination, "bad-request", "refused", noAcks, message);
  }
  const lifetime = lifetimeProblem(input);
  if (lifetime !== undefined) {
    return failure(coordination, "bad-request", "refused", noAcks, lifetime);
  }
  if (input.context === undefined) return { ok: true, context: undefined };
  const decoded = decodeContext(input.context, key, coordination.contextSeal);
  if (decoded.ok) return decoded;
  return failure(coordination, "bad-context", "refused", noAcks, decoded.reason);
}

/** A create that is repeated finds what it created itself: that is no reason to refuse it. */
async function refuseIfPresent(
  coordination: Coordination,
  plan: RequestPlan,
  writeId: WriteId | undefined,
): Promise<Failure | undefined> {
  const read = await promiseOf<QuorumRead>((ending) => readQuorum(coordination, plan, ending));
  if (!read.ok) return read;
  const record = read.stored?.record ?? emptyRecord;
  if (shownSiblings(plan.bucket, record, plan.nowMs).length === 0) return undefined;
  const { siblings } = record;
  if (writeId !== undefined && siblings.some((sibling) => sibling.writeId === writeId)) {
    return undefined;
  }
  const message = "the key already holds a value";
  return failure(coordination, "precondition-failed", "refused", noAcks, message);
}

function forwardedPut(
  { placed, quorum, mode, stamp }: RequestPlan,
  { value, contentType, context, writeId, returnBody, ttlMs, expiresAtMs }: PutInput,
): ForwardedPut {
  return {
    kind: "put",
    stamp,
    bucket: placed.bucket,
    key: placed.key,
    value,
    contentType,
    context,
    writeId,
    w: quorum.w,
    pw: quorum.pw,
    mode,
    returnBody,
    ttlMs,
    expiresAtMs,
  };
}
