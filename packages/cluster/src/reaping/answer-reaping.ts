import {
  type NodeId,
  type PartitionId,
  type Ring,
  classIn,
  decodeRecordKey,
  invariant,
  recordDigest,
  withClass,
} from "@coterie/core";
import type { Held, RecordStore, StoredRecord } from "@coterie/storage";
import type { HintBook } from "../hints/hint-book.ts";
import type {
  FenceRaisedResponse,
  ListedEntry,
  PeerResponse,
  RaiseFenceRequest,
  RaiseProblem,
  ReapRequest,
} from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import { refusal } from "../replica/replica.ts";
import type { FenceTable } from "./fence-table.ts";

/** Tombstones removed at once. */
const batchEntries = 64;

export interface ReapingParts {
  readonly self: NodeId;
  readonly store: RecordStore;
  readonly hints: HintBook;
  readonly fences: FenceTable;
  readonly ring: () => Ring;
}

/**
 * Takes part in a round of reaping: makes the number durable, and then, in one turn, puts it in
 * force and looks what is held. So nothing that is read here under this number or a higher one is
 * older than a tombstone that this member has confirmed.
 */
export async function raiseFence(
  parts: ReapingParts,
  { partition, fence, reaped, entries }: RaiseFenceRequest,
): Promise<FenceRaisedResponse> {
  const { fences, store } = parts;
  const answer = (
    problem?: RaiseProblem,
    lacking: readonly number[] = [],
  ): FenceRaisedResponse => ({
    kind: "fence-raised",
    fence: fences.of(partition),
    problem,
    lacking,
  });
  fences.note(partition, { raised: reaped, reaped });
  if (reaped > fences.of(partition).raised) return answer("behind");
  if (fence <= fences.of(partition).raised) return answer("outdone");
  const problem = problemWith(parts, partition);
  if (problem !== undefined) return answer(problem);
  if (!(await fences.prepare(partition, fence))) return answer("disk");
  fences.raise(partition, fence);
  const later = problemWith(parts, partition);
  if (later !== undefined) return answer(later);
  if (!isOwner(parts, partition)) return answer();
  const lacking = entries.flatMap(({ token, digest }, at) =>
    store.holds(partition, token, digest) ? [] : [at],
  );
  // What was confirmed must not be lost to a crash.
  return (await store.durable()) ? answer(undefined, lacking) : answer("disk");
}

function problemWith(parts: ReapingParts, partition: PartitionId): RaiseProblem | undefined {
  if (parts.hints.mayHold(partition)) return "hints";
  const { ring, self, store } = parts;
  // A copy that is still to be dropped may become one again: it would bring back what was reaped.
  if (!ring().isHolder(self, partition)) {
    return store.digest({ partition, above: 0, range: undefined }).count > 0
      ? "damaged"
      : undefined;
  }
  // Who may lack keys would confirm what it holds, and then be given what it should have refused.
  const { isWhole, partitions } = store.damage();
  return !isWhole || partitions.includes(partition) ? "damaged" : undefined;
}

/** Refuses from now on what was read under a lesser number, and forgets what was confirmed. */
export async function reap(
  parts: ReapingParts,
  { partition, fence, entries }: ReapRequest,
): Promise<PeerResponse> {
  const { fences, self } = parts;
  if (!isOwner(parts, partition)) {
    return refusal("not-owner", `${self} does not own partition ${partition}`);
  }
  if (fences.of(partition).raised < fence) {
    fences.noteRefused();
    return refusal("behind-fence", `${self} has not raised its fence to ${fence}`);
  }
  if (!(await fences.reap(partition, fence))) {
    return refusal("disk-full", "the fence could not be stored");
  }
  for (let from = 0; from < entries.length; from += batchEntries) {
    const batch = entries.slice(from, from + batchEntries);
    const removals = batch.map((entry) => removeEntry(parts, partition, entry));
    for (const removal of removals) {
      if (!(await removal)) return refusal("disk-full", "not everything could be removed");
    }
  }
  return { kind: "reaped" };
}

function isOwner({ ring, self }: ReapingParts, partition: PartitionId): boolean {
  return ring().isOwner(self, partition);
}

/** Removes the record of an entry, if it is still the very same; false if it could not. */
async function removeEntry(
  { store }: ReapingParts,
  partition: PartitionId,
  { token, digest }: ListedEntry,
): Promise<boolean> {
  if (!store.holds(partition, token, digest)) return true;
  const { promise, settle } = oneShot<readonly StoredRecord[] | "unknown">();
  store.find({ partition, token, evenIfDamaged: false }, settle);
  const found = await promise;
  if (found === "unknown") return true;
  for (const { bytes } of found) {
    const key = decodeRecordKey(bytes);
    invariant(key !== undefined, "a record that was read has a key");
    const removed = oneShot<boolean>();
    store.update(
      { ...key, partition, token },
      {
        bytes: 0,
        mayUseReserve: true,
        apply: (held) => (isOf(held, digest) ? "gone" : undefined),
        settle: (outcome) => removed.settle(outcome.ok),
      },
    );
    if (!(await removed.promise)) return false;
  }
  return true;
}

function isOf(held: Held, { high, low }: ListedEntry["digest"]): boolean {
  if (held.state !== "present") return false;
  const own = withClass(recordDigest(held.stored.bytes), classIn(low));
  return own.high === high && own.low === low;
}
