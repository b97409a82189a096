import {
  ByteWriter,
  type Key,
  type PartitionId,
  type Token,
  decodeRecord,
  decodeRecordKey,
  partitionOf,
} from "@coterie/core";
import type { Disk, EngineOutcome, EngineRow, KeyValueEngine } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import {
  type Entry,
  decodeSegmentHeader,
  entryKinds,
  isRecordKind,
  segmentHeaderBytes,
  segmentName,
  segmentNumber,
} from "../log/format.ts";
import { type CheckpointHead, decodeHead, encodeHead } from "../recovery/checkpoint.ts";
import { type ActorMark, decodeActorMark, decodeDamageMark } from "../recovery/control-entries.ts";
import type { Damage } from "../recovery/damage.ts";
import { decodeDiscard } from "../recovery/discards.ts";
import type { KeySpace } from "../recovery/latest-entries.ts";
import type { RecoverFailure } from "../recovery/recover.ts";
import { decodeRemovals } from "../recovery/removals.ts";
import { scanInOrder } from "../recovery/scan-log.ts";
import type { PlacedToken } from "../store.ts";
import { engineCall } from "./engine-promises.ts";
import { placeIn, withEntry } from "./row-holdings.ts";
import { tokenName } from "./mem-table.ts";
import type { Rows } from "./rows.ts";
import type { Summaries } from "./summaries.ts";
import {
  type TokenRow,
  allOf,
  emptyRow,
  entryOf,
  markerKey,
  sealed,
  summaryKey,
  unsealed,
} from "./token-row.ts";

/** Log entries that are applied together. */
const batchEntries = 1000;

/** What a start finds. */
export interface RecoveredLeveled {
  readonly ok: true;
  readonly cleanStop: ActorMark | undefined;
  readonly isNew: boolean;
  readonly usedMarker: boolean;
  readonly lastSegment: number;
  readonly lsn: number;
  readonly sequence: number;
  readonly recordsRead: number;
  readonly bytesCut: number;
  readonly lostWholeness: boolean;
}

export type Marker = Omit<CheckpointHead, "segments" | "removals" | "discards">;

/** Says what of the log the engine has: the last thing written of a spill. */
export function encodeMarker(marker: Marker): Uint8Array {
  const writer = new ByteWriter(128);
  writer.bytes(encodeHead({ ...marker, segments: [], removals: [], discards: [] }));
  return sealed(markerKey, writer);
}

function decodeMarker(value: Uint8Array): Marker | undefined {
  const content = unsealed(markerKey, value);
  return content === undefined ? undefined : decodeHead(content, false);
}

export interface RecoverLeveledParts {
  /** Of the log. */
  readonly disk: Disk;
  readonly engine: KeyValueEngine;
  readonly space: KeySpace;
  readonly rows: Rows;
  readonly summaries: Summaries;
  readonly damage: Damage;
  /** Whether the engine was damaged and could be rescued in part only. */
  readonly wasRepaired: boolean;
}

/** Brings memory to what the engine and the log after its marker come to. */
export async function recoverLeveled(
  parts: RecoverLeveledParts,
): Promise<RecoveredLeveled | RecoverFailure> {
  return new LeveledRecovery(parts).run();
}

class LeveledRecovery {
  readonly #parts: RecoverLeveledParts;
  readonly #entries: { readonly kind: number; readonly lsn: number; readonly body: Uint8Array }[] =
    [];
  #firstLsn = 0;
  #lsn = 0;
  #recordsRead = 0;
  #cleanStop: ActorMark | undefined;
  #lostWholeness: boolean;

  constructor(parts: RecoverLeveledParts) {
    this.#parts = parts;
    this.#lostWholeness = parts.wasRepaired;
  }

  async run(): Promise<RecoveredLeveled | RecoverFailure> {
    const { disk, engine } = this.#parts;
    const listed = await io.list(disk);
    if (!listed.ok) return { ok: false, code: "io", message: listed.message };
    const segments = listed.value
      .flatMap((name) => segmentNumber(name) ?? [])
      .toSorted((left, right) => left - right);
    const read = await engineCall<Uint8Array | undefined>((settle) =>
      engine.get(markerKey, settle),
    );
    const marker = read.ok && read.value !== undefined ? decodeMarker(read.value) : undefined;
    const problem = await this.#problemWith(marker, segments);
    if (problem !== undefined) return problem;
    if (marker !== undefined) await this.#begin(marker);
    const firstSegment = marker?.segment ?? 1;
    const needed = segments.filter((segment) => segment >= firstSegment);
    await this.#dropBefore(firstSegment, segments);
    // The engine, or what came after it, is not all there.
    const isNew = segments.length === 0 && marker === undefined;
    if (!isNew && needed[0] !== firstSegment) this.#lostWholeness = true;
    if (!isNew && marker === undefined && this.#isEngineLacking(read)) this.#lostWholeness = true;
    const scanned = await scanInOrder(disk, needed, {
      firstSegment,
      firstOffset: marker?.offset ?? segmentHeaderBytes,
      visit: (_segment, entry) => this.#visit(entry),
      onDamagedEnd: () => {
        this.#cleanStop = undefined;
      },
      onEnd: () => undefined,
    });
    if (!scanned.ok) return { ok: false, code: "io", message: scanned.message };
    await this.#replay();
    if (scanned.hasRotted) this.#lostWholeness = true;
    if (this.#lostWholeness) await this.#recount();
    if (this.#lostWholeness) this.#parts.damage.isWhole = false;
    return {
      ok: true,
      cleanStop: this.#cleanStop,
      isNew,
      usedMarker: marker !== undefined,
      lastSegment: segments.at(-1) ?? 0,
      lsn: this.#lsn,
      sequence: Math.max(scanned.sequence, marker?.sequence ?? 0),
      recordsRead: this.#recordsRead,
      bytesCut: scanned.bytesCut,
      lostWholeness: this.#lostWholeness,
    };
  }

  /**
   * Removes what the engine has from the log. A process that was killed before it had flushed
   * leaves a marker that is there to be read, and that a power failure would still take: so the
   * engine has to flush first. What cannot be removed now is of no use, and does no harm.
   */
  async #dropBefore(first: number, segments: readonly number[]): Promise<void> {
    const { disk, engine } = this.#parts;
    const old = segments.filter((segment) => segment < first);
    if (old.length === 0) return;
    const flushed = await engineCall<void>((settle) => engine.flush(settle));
    if (!flushed.ok) return;
    for (const segment of old) await io.remove(disk, segmentName(segment));
  }

  /** A marker that is there and cannot be read: nobody knows what of the log the engine has. */
  #isEngineLacking(read: EngineOutcome<Uint8Array | undefined>): boolean {
    return !read.ok || read.value !== undefined;
  }

  async #problemWith(
    marker: Marker | undefined,
    segments: readonly number[],
  ): Promise<RecoverFailure | undefined> {
    const { disk, space } = this.#parts;
    let found = marker?.partitions;
    for (const segment of segments) {
      const opened = await io.open(disk, segmentName(segment), "existing");
      if (!opened.ok) return { ok: false, code: "io", message: opened.message };
      const head = await io.read(disk, opened.value, 0, segmentHeaderBytes);
      await io.close(disk, opened.value);
      const header = head.ok ? decodeSegmentHeader(head.value) : "damaged";
      if (header === "unknown-format") {
        const message = "the directory was written by a version that this one cannot read";
        return { ok: false, code: "unknown-format", message };
      }
      if (header !== "damaged") found ??= header.partitions;
    }
    if (found === undefined || found === space.partitions) return undefined;
    const made = `the directory was made with ${found} partitions`;
    const message = `${made}; start it with the same number`;
    return { ok: false, code: "other-settings", message };
  }

  /** Takes over what was known when the engine was written to last. */
  async #begin(marker: Marker): Promise<void> {
    const { damage, engine, space, summaries } = this.#parts;
    this.#firstLsn = marker.lsn;
    this.#lsn = marker.lsn;
    for (const damaged of marker.damaged) damage.add(damaged);
    for (const partition of marker.lostPartitions) damage.losePartition(partition);
    damage.isWhole = marker.isWhole;
    const range = allOf("summary");
    const rows = await engineCall<readonly EngineRow[]>((settle) =>
      engine.scan(range, space.partitions, settle),
    );
    if (!rows.ok) {
      this.#lostWholeness = true;
      return;
    }
    const values = new Map(rows.value.map(({ key, value }) => [key.join(","), value]));
    for (let partition = 0; partition < space.partitions; partition += 1) {
      const key = summaryKey(partition);
      const value = values.get(key.join(","));
      if (value !== undefined && !summaries.decode(partition, key, value)) {
        this.#lostWholeness = true;
      }
    }
  }

  #visit({ kind, lsn, body }: Entry): void {
    if (lsn < this.#firstLsn) return;
    this.#lsn = Math.max(this.#lsn, lsn + 1);
    this.#cleanStop = kind === entryKinds.cleanStop ? decodeActorMark(body) : undefined;
    if (isRecordKind(kind)) this.#recordsRead += 1;
    this.#entries.push({ kind, lsn, body: body.slice() });
  }

  async #replay(): Promise<void> {
    const entries = this.#entries;
    for (let at = 0; at < entries.length; at += batchEntries) {
      const batch = entries.slice(at, at + batchEntries);
      const places = batch.flatMap((entry) => this.#placesOf(entry));
      const found = await this.#parts.rows.findMany(places);
      const held = new Map<string, TokenRow>();
      for (const [index, { token }] of places.entries()) {
        held.set(tokenName(token), found[index]?.row ?? emptyRow);
      }
      for (const entry of batch) this.#apply(entry, held);
    }
  }

  /** Where an entry changes something. */
  #placesOf({ kind, lsn, body }: Pick<Entry, "kind" | "lsn" | "body">): readonly PlacedToken[] {
    if (isRecordKind(kind)) {
      const key = decodeRecordKey(body);
      return key === undefined ? [] : [this.#placeOf(key)];
    }
    if (kind !== entryKinds.gone) return [];
    return (decodeRemovals(body, lsn) ?? []).map(({ token }) => this.#placeAt(token));
  }

  #placeOf(key: Key): PlacedToken {
    return this.#placeAt(this.#parts.space.tokenOf(key));
  }

  #placeAt(token: Token): PlacedToken {
    return { token, partition: partitionOf(token, this.#parts.space.partitions) };
  }

  /** @param held what was held at each token before the batch. */
  #apply(entry: Pick<Entry, "kind" | "lsn" | "body">, held: ReadonlyMap<string, TokenRow>): void {
    const { kind, lsn, body } = entry;
    if (kind === entryKinds.damaged || kind === entryKinds.refilled) return this.#applyMark(entry);
    if (kind === entryKinds.discarded) {
      const discarded = decodeDiscard(body, lsn);
      if (discarded !== undefined) this.#discard(discarded.discard.partition);
      return;
    }
    const { rows } = this.#parts;
    for (const place of this.#placesOf(entry)) {
      const row = rows.changedAt(place)?.row ?? held.get(tokenName(place.token)) ?? emptyRow;
      if (kind === entryKinds.gone) rows.replace(place, row, emptyRow, undefined);
      else {
        const decoded = decodeRecord(body);
        if (!decoded.ok) continue;
        const entryHeld = entryOf(
          { record: decoded.record, bytes: body },
          this.#parts.space.classOf(decoded.bucket),
        );
        rows.replace(place, row, withEntry(row, placeIn(row, decoded), entryHeld), undefined);
      }
    }
  }

  #applyMark({ kind, body }: Pick<Entry, "kind" | "body">): void {
    const { damage } = this.#parts;
    const marked = decodeDamageMark(body);
    const isDamaged = kind === entryKinds.damaged;
    if (marked === "directory") damage.isWhole = !isDamaged;
    else if (typeof marked === "number") {
      if (isDamaged) damage.losePartition(marked);
      else damage.regainPartition(marked);
    } else if (isDamaged) damage.add(marked);
    else damage.remove(marked.token);
  }

  #discard(partition: PartitionId): void {
    this.#parts.rows.discard(partition);
    this.#parts.damage.losePartition(partition);
  }

  /** What is left may not be what the sums say. */
  async #recount(): Promise<void> {
    const { rows, space } = this.#parts;
    for (let partition = 0; partition < space.partitions; partition += 1) {
      await rows.recount(partition);
    }
  }
}
