import { isRecordOf } from "@coterie/core";
import { entryKinds } from "../log/format.ts";
import type { Group } from "../log/group.ts";
import type { Log } from "../log/log.ts";
import type { Damage } from "../recovery/damage.ts";
import { encodeRemovals, ownLsn } from "../recovery/removals.ts";
import type { Held, PlacedKey, StoredRecord } from "../store.ts";
import type { Holdings } from "../update-queue.ts";
import type { FoundRow, Rows } from "./rows.ts";
import {
  type RowEntry,
  type TokenRow,
  emptyRow,
  entryOf,
  soundRow,
  storedOf,
} from "./token-row.ts";

/** The row of a key's token, and which of its entries is the key's. */
export interface RowLookup extends FoundRow {
  /** −1: none. */
  readonly at: number;
}

export interface RowHoldingsParts {
  readonly log: Log;
  readonly rows: Rows;
  readonly damage: Damage;
  /** A bucket's n. */
  readonly classOf: (bucket: string) => number;
}

/** What is held where a key-value engine has what the log had longest. */
export class RowHoldings implements Holdings<RowLookup> {
  readonly #parts: RowHoldingsParts;

  constructor(parts: RowHoldingsParts) {
    this.#parts = parts;
  }

  lookup(key: PlacedKey, settle: (lookup: RowLookup) => void): void {
    this.#parts.rows.find(key, ({ row, group }) => settle({ row, group, at: placeIn(row, key) }));
  }

  bytesOf({ row, at }: RowLookup): number {
    return row.entries[at]?.encoded.length ?? 0;
  }

  heldOf({ partition, token }: PlacedKey, { row, at }: RowLookup): Held {
    const entry = row.entries[at];
    if (entry !== undefined) return { state: "present", stored: storedOf(entry) };
    const isLost = row.isDamaged || this.#parts.damage.isUnknown(partition, token);
    return { state: isLost ? "unknown" : "absent" };
  }

  groupOf(_key: PlacedKey, { group }: RowLookup): Group | undefined {
    return this.#parts.rows.groupNumbered(group);
  }

  append(key: PlacedKey, { row, at }: RowLookup, stored: StoredRecord): Group {
    const { log, rows, classOf } = this.#parts;
    const { group } = log.append(entryKinds.record, stored.bytes);
    const entry = entryOf(stored, classOf(key.bucket));
    rows.replace(key, row, withEntry(row, at, entry), group);
    return group;
  }

  /**
   * A removal speaks for all that its token holds: so what shares it with another key, or with what
   * is damaged, stays.
   */
  remove(key: PlacedKey, { row, at }: RowLookup): Group | undefined {
    const { log, rows } = this.#parts;
    if (at < 0 || row.isDamaged || row.entries.length > 1) return undefined;
    const body = encodeRemovals([{ token: key.token, lsn: ownLsn, horizon: 0 }]);
    const { group } = log.append(entryKinds.gone, body);
    rows.replace(key, row, emptyRow, group);
    return group;
  }
}

/** The row with an entry in place of the one that is there, or beside the others. */
export function withEntry(row: TokenRow, at: number, entry: RowEntry): TokenRow {
  const entries = [...row.entries];
  if (at < 0) entries.push(entry);
  else entries[at] = entry;
  return soundRow(entries);
}

/** Which entry of a row is this key's; −1 for none. */
export function placeIn({ entries }: TokenRow, key: Pick<PlacedKey, "bucket" | "key">): number {
  return entries.findIndex(({ encoded }) => isRecordOf(encoded, key));
}
