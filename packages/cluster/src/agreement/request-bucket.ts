import { type BucketChange, type ChangedBucket, changeBucket, invariant } from "@coterie/core";
import type { Coordination } from "../coordinator/coordination.ts";
import { failure, noAcks } from "../coordinator/failure.ts";
import type { BucketOutcome } from "../requests.ts";
import type { AgreedDocument } from "./agreed-document.ts";

/** How long a change may take to be chosen, in milliseconds. */
const changeMsMax = 5000;

/**
 * Creates or changes a bucket. What settings cannot be is said at once; whether a bucket is there,
 * and with which settings, is decided where the change is made: on the latest version that was
 * chosen.
 */
export async function requestBucket(
  coordination: Coordination,
  agreement: AgreedDocument,
  change: BucketChange,
): Promise<BucketOutcome> {
  const { clock } = coordination;
  const refuse = (refused: ChangedBucket & { readonly ok: false }): BucketOutcome =>
    failure(coordination, refused.code, "refused", noAcks, refused.message);
  const foreseen = changeBucket(agreement.ring.document, change);
  if (!foreseen.ok && foreseen.code === "bad-request" && change.intent !== "change") {
    return refuse(foreseen);
  }
  const attempts: ChangedBucket[] = [];
  const chosen = await agreement.change((current) => {
    const changed = changeBucket(current, change);
    attempts.push(changed);
    return changed.ok ? changed.document : current;
  }, clock.monotonicMs() + changeMsMax);
  if (!chosen.ok) {
    return failure(coordination, chosen.code, chosen.outcome, noAcks, chosen.message);
  }
  const last = attempts.at(-1);
  invariant(last !== undefined, "a version that was chosen was made by the change");
  if (!last.ok) return refuse(last);
  return {
    ok: true,
    result: resultOf(attempts),
    bucket: last.bucket,
    epoch: chosen.document.epoch,
  };
}

/** A later attempt finds done what an earlier one did. */
function resultOf(attempts: readonly ChangedBucket[]): "created" | "changed" | "unchanged" {
  for (const attempt of attempts) {
    if (attempt.ok && attempt.result !== "unchanged") return attempt.result;
  }
  return "unchanged";
}
