import { classIn, recordDigest, withClass } from "@coterie/core";
import type { Disk } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import type { LiveEntry } from "../index/live-rows.ts";
import type { LogStore } from "../log-store.ts";
import { type Entry, segmentName } from "../log/format.ts";
import { checkpointName, isCheckpointSound } from "../recovery/checkpoint.ts";
import { type LiveParts, collectLive, readSlice, slicesOf } from "./read-live.ts";

export interface ScrubParts extends LiveParts {
  readonly store: LogStore;
  readonly disk: Disk;
  /** The number of the newest checkpoint; 0 for none. */
  readonly checkpoint: () => number;
  /** Called after each slice: waits as long as the pace demands; false ends the scrub. */
  readonly pace: (bytesRead: number) => Promise<boolean>;
}

/**
 * Reads every live record of every sealed segment and checks it, so that a key hidden by damage is
 * found within one pass and not when somebody asks for it. A record that is replaced meanwhile is
 * not damage. What is missing is damage too: a segment whose file is gone. And so is what only a
 * start would miss, or nobody: the checkpoint, and what the index says of a record.
 */
export async function scrub(parts: ScrubParts): Promise<void> {
  const { store, index } = parts;
  const segments = [...index.uses().keys()].filter((segment) => store.isSealed(segment));
  await findMissing(parts, segments);
  if (!(await scrubSegments(parts, segments))) return;
  if (!(await verifyRoots(parts))) return;
  await scrubCheckpoint(parts);
}

async function scrubSegments(parts: ScrubParts, segments: readonly number[]): Promise<boolean> {
  const { store, index, pace } = parts;
  for (const segment of segments) {
    const rows = await collectLive(parts, new Set([segment]));
    for (const slice of slicesOf(rows, segment)) {
      const bytes = await readSlice(parts, slice, (live, entry) => {
        const { partition, token, location } = live;
        if (!index.has(partition, token, location)) return;
        if (entry !== undefined) return correctDigest(parts, live, entry);
        const { offset } = location;
        store.noteDamage({ partition, token, segment, offset }, "found by the scrub");
      });
      if (!(await pace(bytes))) return false;
    }
  }
  return true;
}

/** A file that is still open can be read when its name is gone, until the next start. */
async function findMissing(parts: ScrubParts, segments: readonly number[]): Promise<void> {
  const { store, index, disk } = parts;
  const current = store.log.replayStart.segment;
  const listed = await io.list(disk);
  if (!listed.ok) return;
  const names = new Set(listed.value);
  if (!names.has(segmentName(current)) && !store.isSealed(current)) {
    return store.fail("the file that the log is written to is gone");
  }
  for (const segment of segments) {
    // Compaction forgets a segment before it removes the file.
    if (names.has(segmentName(segment)) || !index.uses().has(segment)) continue;
    const rows = await collectLive(parts, new Set([segment]));
    const live = [...rows.inOrder(segment)].filter(({ partition, token, location }) =>
      index.has(partition, token, location),
    );
    store.noteMissing(
      segment,
      live.map(({ partition, token, location: { offset } }) => ({
        partition,
        token,
        segment,
        offset,
      })),
    );
  }
}

/** What the index says of a record is compared between replicas; the record says what it is. */
function correctDigest({ store, index }: ScrubParts, live: LiveEntry, entry: Entry): void {
  const { partition, token, location } = live;
  const digest = withClass(recordDigest(entry.body), classIn(location.digest.low));
  if (digest.high === location.digest.high && digest.low === location.digest.low) return;
  index.move(partition, token, location, { ...location, digest });
  const { segment, offset } = location;
  store.reportDamage(String(segment), `the index had another digest for the record at ${offset}`);
}

async function verifyRoots({ store, index, pace }: ScrubParts): Promise<boolean> {
  for (let partition = 0; partition < index.partitions; partition += 1) {
    if (!index.verifyRoots(partition)) {
      store.reportDamage("index", `the sums of partition ${partition} were not those of its keys`);
    }
    if (!(await pace(0))) return false;
  }
  return true;
}

async function scrubCheckpoint({ store, disk, checkpoint, pace }: ScrubParts): Promise<void> {
  const number = checkpoint();
  if (number === 0) return;
  const name = checkpointName(number);
  const isSound = await isCheckpointSound(disk, name, pace);
  // Meanwhile the next one may have taken its place.
  if (!isSound && checkpoint() === number) {
    store.reportDamage(name, "found by the scrub; it is written again");
  }
}
