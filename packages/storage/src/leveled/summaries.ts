import { ByteReader, ByteWriter, type PartitionId, type RangeDigest } from "@coterie/core";
import { ClassRoots } from "../index/class-roots.ts";
import { dueEmpty, neverDue } from "../index/due.ts";
import { type Counted, sealed, unsealed } from "./token-row.ts";

/** What the entries of one partition come to. */
class Summary {
  readonly roots = new ClassRoots();
  keys = 0;
  empty = 0;
  wide = 0;
  bytes = 0;
  /** Nothing is due before. */
  firstDue = Infinity;
  /** Nor, of what came since somebody began to look. */
  firstDueSince = Infinity;
  /** Grows with each change. */
  version = 0;

  add({ digest, bytes, due, isWide }: Counted): void {
    this.roots.add(digest.high, digest.low);
    this.keys += 1;
    this.bytes += bytes;
    if (due === dueEmpty) this.empty += 1;
    else if (due !== neverDue) {
      this.firstDue = Math.min(this.firstDue, due);
      this.firstDueSince = Math.min(this.firstDueSince, due);
    }
    if (isWide) this.wide += 1;
  }

  remove({ digest, bytes, due, isWide }: Counted): void {
    this.roots.remove(digest.high, digest.low);
    this.keys -= 1;
    this.bytes -= bytes;
    if (due === dueEmpty) this.empty -= 1;
    if (isWide) this.wide -= 1;
  }
}

type SummaryGauge = "keys" | "empty" | "wide" | "bytes";

/**
 * What the entries of each partition come to, kept in memory and spilled with them: so much memory
 * per partition, whatever it holds.
 */
export class Summaries {
  readonly #summaries: Summary[];
  keys = 0;
  empty = 0;
  wide = 0;
  bytes = 0;

  constructor(partitions: number) {
    this.#summaries = Array.from({ length: partitions }, () => new Summary());
  }

  /** Replaces what is counted at one token. */
  replace(partition: PartitionId, before: readonly Counted[], after: readonly Counted[]): void {
    const summary = this.#of(partition);
    this.#count(summary, () => {
      for (const each of before) summary.remove(each);
      for (const each of after) summary.add(each);
    });
    summary.version += 1;
  }

  /** Nothing is held of a partition any more, but what these count. */
  reset(partition: PartitionId, counted: Iterable<Counted> = []): void {
    const summary = new Summary();
    for (const each of counted) summary.add(each);
    summary.version = this.#of(partition).version + 1;
    this.#put(partition, summary);
  }

  root(partition: PartitionId, above: number): RangeDigest {
    return this.#of(partition).roots.above(above);
  }

  of(partition: PartitionId, gauge: SummaryGauge): number {
    return this.#of(partition)[gauge];
  }

  versionOf(partition: PartitionId): number {
    return this.#of(partition).version;
  }

  /** False if these entries, all of the partition, come to something else. */
  isSumOf(partition: PartitionId, roots: ClassRoots): boolean {
    return this.#of(partition).roots.equals(roots);
  }

  firstDue(partition: PartitionId): number {
    return this.#of(partition).firstDue;
  }

  /** Somebody begins to look at all that is held of a partition, for what is due first. */
  beginLook(partition: PartitionId): void {
    this.#of(partition).firstDueSince = Infinity;
  }

  /** Of what was held before, nothing is due before `due`. */
  endLook(partition: PartitionId, due: number): void {
    const summary = this.#of(partition);
    summary.firstDue = Math.min(summary.firstDueSince, due);
  }

  encode(partition: PartitionId, key: Uint8Array): Uint8Array {
    const { roots, keys, empty, wide, bytes, firstDue } = this.#of(partition);
    const writer = new ByteWriter(64);
    writer.varint(keys);
    writer.varint(empty);
    writer.varint(wide);
    writer.varint(bytes);
    writer.u32(firstDue === Infinity ? 0 : firstDue);
    for (const { copies, high, low, count } of roots.all()) {
      writer.u8(copies);
      writer.u32(high);
      writer.u32(low);
      writer.varint(count);
    }
    return sealed(key, writer);
  }

  /** False if it is damaged. */
  decode(partition: PartitionId, key: Uint8Array, value: Uint8Array): boolean {
    const content = unsealed(key, value);
    if (content === undefined) return false;
    const reader = new ByteReader(content);
    const summary = new Summary();
    summary.keys = reader.varint();
    summary.empty = reader.varint();
    summary.wide = reader.varint();
    summary.bytes = reader.varint();
    const firstDue = reader.u32();
    summary.firstDue = firstDue === 0 ? Infinity : firstDue;
    while (reader.remaining > 0 && !reader.failed) {
      const copies = reader.u8();
      summary.roots.put({
        copies,
        high: reader.u32(),
        low: reader.u32(),
        count: reader.varint(),
      });
    }
    if (reader.failed) return false;
    this.#put(partition, summary);
    return true;
  }

  #put(partition: PartitionId, summary: Summary): void {
    const before = this.#of(partition);
    for (const gauge of gauges) this[gauge] += summary[gauge] - before[gauge];
    this.#summaries[partition] = summary;
  }

  #count(summary: Summary, change: () => void): void {
    for (const gauge of gauges) this[gauge] -= summary[gauge];
    change();
    for (const gauge of gauges) this[gauge] += summary[gauge];
  }

  #of(partition: PartitionId): Summary {
    return this.#summaries[partition] as Summary;
  }
}

const gauges: readonly SummaryGauge[] = ["keys", "empty", "wide", "bytes"];
