import { decodeRecordKey, partitionOf, tokenOf } from "@coterie/core";
import type { Clock, Disk, DiskFailure } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import type { Location } from "../index/partition-index.ts";
import type { LogStore } from "../log-store.ts";
import {
  decodeEntry,
  encodeSegmentHeader,
  entryKinds,
  groupHeaderBytes,
  segmentHeaderBytes,
  segmentName,
} from "../log/format.ts";
import { Group } from "../log/group.ts";

/** Bytes copied before others get a turn. */
const sliceBytes = 128 * 1024;
/** Pause between slices, in milliseconds: at most some 40 MB/s, and none of it in one go. */
const pauseMs = 3;

interface Move {
  readonly partition: number;
  readonly from: Location;
  readonly to: Location;
  readonly token: ReturnType<typeof tokenOf>;
}

export type CompactOutcome = { readonly ok: true; readonly bytesCopied: number } | DiskFailure;

/**
 * Copies what is live in `victims` into one new segment, makes that durable, and points the index
 * to it. The victims' files stay: they are removed once a checkpoint no longer needs them. A crash
 * anywhere leaves either the sources, or the copy and a checkpoint that knows it.
 */
export async function compact(
  { store, disk, clock, partitions }: CompactParts,
  victims: readonly number[],
): Promise<CompactOutcome> {
  const live = await liveIn(store, clock, partitions, new Set(victims));
  if (live.length === 0) return { ok: true, bytesCopied: 0 };
  const segment = store.takeSegmentNumber();
  const copy = new SegmentCopy(store, segment, partitions);
  for (const entry of live) {
    await copy.add(entry);
    if (copy.shouldPause()) await pause(clock);
  }
  const written = await copy.write(disk, clock);
  if (!written.ok) return written;
  const { index } = store;
  index.use(segment).total = written.bytes;
  for (const { partition, token, from, to } of copy.moves) index.move(partition, token, from, to);
  return { ok: true, bytesCopied: written.bytes };
}

export interface CompactParts {
  readonly store: LogStore;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly partitions: number;
}

interface LiveEntry {
  readonly partition: number;
  readonly token: ReturnType<typeof tokenOf>;
  readonly location: Location;
}

/** The index entries that point into the victims, in the order of the log. */
async function liveIn(
  store: LogStore,
  clock: Clock,
  partitions: number,
  victims: ReadonlySet<number>,
): Promise<readonly LiveEntry[]> {
  const live: LiveEntry[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const { token, location } of store.index.entriesAfter(partition, undefined)) {
      if (victims.has(location.segment)) live.push({ partition, token, location });
    }
    await new Promise<void>((resolve) => clock.afterTurn(resolve));
  }
  return live.sort(
    (left, right) =>
      left.location.segment - right.location.segment ||
      left.location.offset - right.location.offset,
  );
}

/** A compacted segment in the making: entries keep their bytes, and so their lsn. */
class SegmentCopy {
  readonly moves: Move[] = [];
  readonly #store: LogStore;
  readonly #segment: number;
  readonly #partitions: number;
  readonly #groups: Group[] = [];
  #sinceCheck = 0;

  constructor(store: LogStore, segment: number, partitions: number) {
    this.#store = store;
    this.#segment = segment;
    this.#partitions = partitions;
  }

  shouldPause(): boolean {
    if (this.#sinceCheck < sliceBytes) return false;
    this.#sinceCheck = 0;
    return true;
  }

  /** Copies one entry, unless its key has a newer one by now. A damaged one is reported. */
  async add({ partition, token, location }: LiveEntry): Promise<void> {
    const { segment, offset, length } = location;
    const content = await new Promise<Uint8Array | undefined>((resolve) => {
      this.#store.files.read(segment, offset, length, (outcome) => {
        resolve(outcome.ok ? outcome.value : undefined);
      });
    });
    const entry = content === undefined ? undefined : decodeEntry(content, 0, length);
    const key = entry === undefined ? undefined : decodeRecordKey(entry.body);
    if (entry === undefined || key === undefined) {
      this.#store.noteDamage({ partition, token }, segment, `found by compaction at ${offset}`);
      return;
    }
    const group = this.#groupFor(length);
    const to = group.append(entryKinds.record, entry.lsn, entry.body);
    this.#sinceCheck += length;
    this.moves.push({
      partition: partitionOf(tokenOf(key), this.#partitions),
      token,
      from: location,
      to: { segment: this.#segment, offset: to, length, digest: location.digest },
    });
  }

  async write(
    disk: Disk,
    clock: Clock,
  ): Promise<{ readonly ok: true; readonly bytes: number } | DiskFailure> {
    const segment = this.#segment;
    const lsn = this.#store.log.lsn;
    this.#groupFor(0).append(entryKinds.seal, lsn, new Uint8Array(0));
    const name = segmentName(segment);
    const opened = await io.open(disk, name, "create");
    if (!opened.ok) return opened;
    const header = { segment, kind: "compacted", partitions: this.#partitions } as const;
    let outcome = await io.write(disk, opened.value, 0, encodeSegmentHeader(header));
    for (const [sequence, group] of this.#groups.entries()) {
      if (!outcome.ok) break;
      outcome = await io.write(disk, opened.value, group.offset, group.finish(sequence));
      await pause(clock);
    }
    if (outcome.ok) outcome = await io.sync(disk, opened.value);
    if (outcome.ok) outcome = await io.syncDirectory(disk);
    await io.close(disk, opened.value);
    if (outcome.ok) return { ok: true, bytes: this.#groups.at(-1)?.end ?? 0 };
    await io.remove(disk, name);
    return outcome;
  }

  #groupFor(length: number): Group {
    const last = this.#groups.at(-1);
    if (last !== undefined && last.length + length <= sliceBytes) return last;
    const offset = last === undefined ? segmentHeaderBytes : last.end;
    const capacity = Math.max(sliceBytes, groupHeaderBytes + length + 64);
    const group = new Group(this.#segment, offset, new Uint8Array(capacity));
    this.#groups.push(group);
    return group;
  }
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.at(clock.monotonicMs() + pauseMs, resolve);
  });
}
