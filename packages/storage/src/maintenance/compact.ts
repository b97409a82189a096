import type { Clock, Disk, DiskFailure, DiskOutcome, File, Random } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import type { LiveEntry, LiveRows } from "../index/live-rows.ts";
import type { Location } from "../index/location.ts";
import type { LogStore } from "../log-store.ts";
import {
  type Entry,
  encodeSegmentHeader,
  entryHeaderBytes,
  entryKinds,
  groupHeaderBytes,
  isRecordKind,
  saltBytes,
  segmentHeaderBytes,
  segmentName,
} from "../log/format.ts";
import { Group } from "../log/group.ts";
import { BulkFile } from "../bulk-file.ts";
import { collectLive, readSlice, slicesOf } from "./read-live.ts";

/** A compacted segment gets a segment's name once it is whole and durable. */
export const compactionDraft = "compacted.new";
const groupBytes = 256 * 1024;
/** Memory taken for the first group; it grows with what is copied, and is used again. */
const groupBytesFirst = 8 * 1024;
/** Pause between slices at an idle node, in milliseconds: at most some 80 MB/s, in many parts. */
const pauseMs = 3;
/** Index entries moved before others get a turn. */
const movesPerTurn = 2000;

export interface CompactParts {
  readonly store: LogStore;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly partitions: number;
  readonly isStopped: () => boolean;
  /** How long to rest where an idle node rests for `ms`. */
  readonly restMs: (ms: number) => number;
}

export type CompactOutcome =
  | { readonly ok: true; readonly bytesCopied: number }
  | DiskFailure
  | "stopped";

/**
 * Copies what is live in `victims` into one new segment, makes that durable, and points the index
 * to it, entry by entry, wherever it still points to the original. The victims' files stay: they
 * are removed once a checkpoint no longer needs them. A crash anywhere leaves either the sources,
 * or the copy and a checkpoint that knows it.
 */
export async function compact(
  parts: CompactParts,
  victims: readonly number[],
): Promise<CompactOutcome> {
  const { store, disk, clock } = parts;
  const live = { index: store.index, files: store.files, clock };
  const rows = await collectLive(live, new Set(victims));
  if (rows.count === 0) return { ok: true, bytesCopied: 0 };
  await io.remove(disk, compactionDraft);
  const opened = await io.open(disk, compactionDraft, "create");
  if (!opened.ok) return opened;
  const copy = new SegmentCopy(parts, opened.value, store.takeSegmentNumber());
  const copied = await copyAll(parts, copy, rows, victims);
  const written = copied === "stopped" || !copied.ok ? copied : await copy.finish();
  await io.close(disk, opened.value);
  const named = written === "stopped" || !written.ok ? written : await nameCopy(disk, copy.segment);
  if (named === "stopped" || !named.ok) {
    await io.remove(disk, compactionDraft);
    return named;
  }
  store.index.use(copy.segment).total = copy.end;
  await moveAll(parts, copy.moves(rows, victims));
  return { ok: true, bytesCopied: copy.end };
}

async function copyAll(
  { store, clock, isStopped, restMs }: CompactParts,
  copy: SegmentCopy,
  rows: LiveRows,
  victims: readonly number[],
): Promise<DiskOutcome | "stopped"> {
  const live = { index: store.index, files: store.files, clock };
  const started = await copy.start();
  if (!started.ok) return started;
  for (const segment of victims) {
    for (const slice of slicesOf(rows, segment)) {
      if (isStopped()) return "stopped";
      await readSlice(live, slice, (entry, content) => copy.add(entry, content));
      const written = await copy.writeGroups(groupBytes);
      if (!written.ok) return written;
      await new Promise<void>((resolve) => {
        clock.at(clock.monotonicMs() + restMs(pauseMs), resolve);
      });
    }
  }
  return { ok: true, value: undefined };
}

async function nameCopy(disk: Disk, segment: number): Promise<DiskOutcome> {
  const renamed = await io.rename(disk, compactionDraft, segmentName(segment));
  return renamed.ok ? io.syncDirectory(disk) : renamed;
}

async function moveAll({ store, clock }: CompactParts, moves: Iterable<Move>): Promise<void> {
  let sincePause = 0;
  for (const { partition, token, from, to } of moves) {
    store.index.move(partition, token, from, to);
    sincePause += 1;
    if (sincePause < movesPerTurn) continue;
    sincePause = 0;
    await new Promise<void>((resolve) => clock.afterTurn(resolve));
  }
}

interface Move extends Pick<LiveEntry, "partition" | "token"> {
  readonly from: Location;
  readonly to: Location;
}

/** A compacted segment in the making: entries keep their lsn, and their bytes. */
class SegmentCopy {
  readonly segment: number;
  end = segmentHeaderBytes;
  readonly #parts: CompactParts;
  readonly #file: BulkFile;
  readonly #salt: Uint8Array;
  /** Where each entry went, in the order in which they came; 0 for those not copied. */
  readonly #offsets: number[] = [];
  #group: Group;
  #sequence = 0;

  constructor(parts: CompactParts, file: File, segment: number) {
    this.#parts = parts;
    this.#file = new BulkFile(parts.disk, file);
    this.segment = segment;
    this.#salt = parts.random.bytes(saltBytes);
    this.#group = this.#nextGroup(new Uint8Array(groupBytesFirst));
  }

  start(): Promise<DiskOutcome> {
    const { partitions } = this.#parts;
    const { segment } = this;
    const salt = this.#salt;
    const header = encodeSegmentHeader({ segment, kind: "compacted", partitions, salt });
    return this.#file.write(0, header);
  }

  /** Copies one entry, unless its key has a newer one by now. A damaged one is reported. */
  add(live: LiveEntry, entry: Entry | undefined): void {
    const { store } = this.#parts;
    const { partition, token, location } = live;
    const isLive = store.index.has(partition, token, location);
    const isSound = entry !== undefined && isRecordKind(entry.kind);
    if (isLive && !isSound) {
      const { segment, offset } = location;
      store.noteDamage({ partition, token, segment, offset }, "found by compaction");
    }
    const isCopied = isLive && isSound;
    this.#offsets.push(isCopied ? this.#group.append(entry.kind, entry.lsn, entry.body) : 0);
  }

  /** Writes what has gathered, if it is as much as `bytesMin`. */
  async writeGroups(bytesMin: number): Promise<DiskOutcome> {
    const group = this.#group;
    if (group.length < bytesMin || group.length === groupHeaderBytes) {
      return { ok: true, value: undefined };
    }
    const bytes = group.finish(this.#sequence, this.#salt);
    const written = await this.#file.write(group.offset, bytes);
    this.#sequence += 1;
    this.end = group.end;
    this.#group = this.#nextGroup(group.buffer);
    return written;
  }

  /** The seal says that nothing is missing at the end. */
  async finish(): Promise<DiskOutcome> {
    const { store } = this.#parts;
    this.#group.append(entryKinds.seal, store.log.lsn, new Uint8Array(0));
    const written = await this.writeGroups(groupHeaderBytes + entryHeaderBytes);
    return written.ok ? this.#file.sync() : written;
  }

  /** What the index is to point to instead. The rows and victims are those that were copied. */
  *moves(rows: LiveRows, victims: readonly number[]): Generator<Move> {
    let at = 0;
    for (const victim of victims) {
      for (const { partition, token, location } of rows.inOrder(victim)) {
        const offset = this.#offsets[at] as number;
        at += 1;
        if (offset === 0) continue;
        yield {
          partition,
          token,
          from: location,
          to: { ...location, segment: this.segment, offset },
        };
      }
    }
  }

  #nextGroup(buffer: Uint8Array): Group {
    return new Group(this.segment, this.end, buffer);
  }
}
