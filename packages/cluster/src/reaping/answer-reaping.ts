import {
  type Key,
  type NodeId,
  type PartitionId,
  type Ring,
  classIn,
  compareTokens,
  cutClock,
  decodeRecordKey,
  encodeRecord,
  invariant,
  recordDigest,
  withClass,
} from "@coterie/core";
import type { RecordStore, StoredRecord } from "@coterie/storage";
import type { Coordination } from "../coordinator/coordination.ts";
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

/** Records removed or replaced at once. */
const batchEntries = 64;

export interface ReapingParts {
  readonly self: NodeId;
  readonly store: RecordStore;
  readonly hints: HintBook;
  readonly fences: FenceTable;
  readonly ring: () => Ring;
  readonly missed: Pick<Coordination["missed"], "noteDiffering">;
}

/**
 * Takes part in a round of reaping: makes the number durable, looks what is held, and only then
 * puts the number in force. What is held never becomes older: so nothing that is read here under
 * this number or a higher one is older than a tombstone that this member has confirmed.
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
  const holding = await store.holding(partition, entries);
  if (fence <= fences.of(partition).raised) return answer("outdone");
  fences.raise(partition, fence);
  const later = problemWith(parts, partition);
  if (later !== undefined) return answer(later);
  if (!isOwner(parts, partition)) return answer();
  const lacking = entries.flatMap((_, at) => (holding[at] === true ? [] : [at]));
  // What was confirmed must not be lost to a crash.
  return (await store.durable()) ? answer(undefined, lacking) : answer("disk");
}

function problemWith(parts: ReapingParts, partition: PartitionId): RaiseProblem | undefined {
  if (parts.hints.mayHold(partition)) return "hints";
  const { ring, self, store } = parts;
  // A copy that is still to be dropped may become one again: it would bring back what was reaped.
  if (!ring().isHolder(self, partition)) {
    return store.root(partition, 0).count > 0 ? "damaged" : undefined;
  }
  // Who may lack keys would confirm what it holds, and then be given what it should have refused.
  const { isWhole, partitions } = store.damage();
  return !isWhole || partitions.includes(partition) ? "damaged" : undefined;
}

/**
 * Refuses from now on what was read under a lesser number, and forgets what was confirmed: of
 * tombstones everything, of wide records the spare entries of their clocks.
 */
export async function reap(
  parts: ReapingParts,
  { partition, fence, entries, cuts }: ReapRequest,
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
  const isDone =
    (await replaceAll(parts, partition, entries, () => "gone")) &&
    (await replaceAll(parts, partition, cuts, withClockCut));
  return isDone ? { kind: "reaped" } : refusal("disk-full", "not everything could be removed");
}

type Replace = (held: StoredRecord, key: Key) => StoredRecord | "gone" | undefined;

function withClockCut({ record }: StoredRecord, key: Key): StoredRecord | undefined {
  const cut = cutClock(record);
  return cut === record ? undefined : { record: cut, bytes: encodeRecord(key, cut) };
}

/**
 * True if every entry that is still the very same was replaced. What was merged into another since
 * it was confirmed has kept of it what others forget: they are to get that.
 */
async function replaceAll(
  parts: ReapingParts,
  partition: PartitionId,
  entries: readonly ListedEntry[],
  replace: Replace,
): Promise<boolean> {
  for (let from = 0; from < entries.length; from += batchEntries) {
    const batch = entries.slice(from, from + batchEntries);
    const holding = await parts.store.holding(partition, batch);
    const replaced = batch.map((entry, at) =>
      holding[at] === true ? replaceEntry(parts, partition, entry, replace) : "changed",
    );
    const changed: ListedEntry[] = [];
    for (const [at, each] of replaced.entries()) {
      const outcome = await each;
      if (outcome === "failed") return false;
      if (outcome === "changed") changed.push(batch[at] as ListedEntry);
    }
    await noteChanged(parts, partition, changed);
  }
  return true;
}

/** Notes those in whose place there is something else. */
async function noteChanged(
  { missed, store }: ReapingParts,
  partition: PartitionId,
  changed: readonly ListedEntry[],
): Promise<void> {
  if (changed.length === 0) return;
  const here = await store.entriesAt(changed.map(({ token }) => ({ partition, token })));
  const isHere = (entry: ListedEntry): boolean =>
    here.some(({ token }) => compareTokens(token, entry.token) === 0);
  missed.noteDiffering(partition, changed.filter(isHere));
}

function isOwner({ ring, self }: ReapingParts, partition: PartitionId): boolean {
  return ring().isOwner(self, partition);
}

/** Replaces the record of an entry, if it is still the very same when its turn comes. */
async function replaceEntry(
  { store }: ReapingParts,
  partition: PartitionId,
  { token, digest }: ListedEntry,
  replace: Replace,
): Promise<"replaced" | "changed" | "failed"> {
  const { promise, settle } = oneShot<readonly StoredRecord[] | "unknown">();
  store.find({ partition, token, evenIfDamaged: false }, settle);
  const found = await promise;
  // It is damaged, and is got again as the others have it.
  if (found === "unknown") return "replaced";
  let isSame = false;
  for (const { bytes } of found) {
    const key = decodeRecordKey(bytes);
    invariant(key !== undefined, "a record that was read has a key");
    const replaced = oneShot<boolean>();
    store.update(
      { ...key, partition, token },
      {
        bytes: 0,
        mayUseReserve: true,
        apply: (held) => {
          if (held.state !== "present" || !isOf(held.stored, digest)) return undefined;
          isSame = true;
          return replace(held.stored, key);
        },
        settle: (outcome) => replaced.settle(outcome.ok),
      },
    );
    if (!(await replaced.promise)) return "failed";
  }
  return isSame ? "replaced" : "changed";
}

function isOf({ bytes }: StoredRecord, { high, low }: ListedEntry["digest"]): boolean {
  const own = withClass(recordDigest(bytes), classIn(low));
  return own.high === high && own.low === low;
}
