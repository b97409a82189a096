import { type PartitionId, type Token, compareTokens } from "@coterie/core";
import type { TokenRow, TokenStretch } from "./token-row.ts";

/** What the engine is about to be told of a token. */
export interface MemRow {
  readonly partition: PartitionId;
  readonly token: Token;
  readonly row: TokenRow;
  /** Of the group that it becomes durable with. */
  readonly group: number;
}

/** Memory that a row takes beside its bytes, about. */
const rowOverheadBytes = 400;

/** Rows that are in the log, and not yet in the engine; bounded, since it is spilled when large. */
export class MemTable {
  readonly #partitions = new Map<PartitionId, Map<string, MemRow>>();
  /** Partitions of which the engine's rows no longer hold. */
  readonly discarded: Set<PartitionId> = new Set();
  /** Memory, about. */
  bytes = 0;

  get isEmpty(): boolean {
    return this.#partitions.size === 0 && this.discarded.size === 0;
  }

  get partitions(): readonly PartitionId[] {
    return [...new Set([...this.#partitions.keys(), ...this.discarded])];
  }

  get(partition: PartitionId, token: Token): MemRow | undefined {
    return this.#partitions.get(partition)?.get(tokenName(token));
  }

  set(row: MemRow): void {
    let rows = this.#partitions.get(row.partition);
    if (rows === undefined) {
      rows = new Map();
      this.#partitions.set(row.partition, rows);
    }
    const name = tokenName(row.token);
    this.bytes += weightOf(row.row);
    const before = rows.get(name);
    if (before !== undefined) this.bytes -= weightOf(before.row);
    rows.set(name, row);
  }

  /** Forgets what is here of a partition, and says that the engine's rows do not hold either. */
  discard(partition: PartitionId): void {
    for (const { row } of this.#partitions.get(partition)?.values() ?? []) {
      this.bytes -= weightOf(row);
    }
    this.#partitions.delete(partition);
    this.discarded.add(partition);
  }

  *rows(): Generator<MemRow> {
    for (const rows of this.#partitions.values()) yield* rows.values();
  }

  /** Rows of a stretch of a partition, in no order. */
  *within({ partition, after, until }: TokenStretch): Generator<MemRow> {
    for (const each of this.#partitions.get(partition)?.values() ?? []) {
      if (after !== undefined && compareTokens(each.token, after) <= 0) continue;
      if (until !== undefined && compareTokens(each.token, until) >= 0) continue;
      yield each;
    }
  }
}

/** Memory that a row takes, about. */
export function weightOf({ entries }: TokenRow): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, rowOverheadBytes);
}

/** A token as the key of a `Map`: four characters. */
export function tokenName({ high, low }: Token): string {
  return String.fromCharCode(high >>> 16, high & 0xffff, low >>> 16, low & 0xffff);
}
