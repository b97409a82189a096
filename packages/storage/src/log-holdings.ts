import {
  type PartitionId,
  type Token,
  invariant,
  isWide,
  nextDeadlineMs,
  recordDigest,
  withClass,
} from "@coterie/core";
import { dueOf } from "./index/due.ts";
import type { Location } from "./index/location.ts";
import type { RecordIndex } from "./index/record-index.ts";
import { entryKinds } from "./log/format.ts";
import type { Group } from "./log/group.ts";
import type { Log } from "./log/log.ts";
import type { Lookup, RecordLoader } from "./record-loader.ts";
import type { Damage } from "./recovery/damage.ts";
import { type Removals, encodeRemovals, ownLsn } from "./recovery/removals.ts";
import type { Held, PlacedKey, StoredRecord } from "./store.ts";
import type { Holdings } from "./update-queue.ts";

export interface LogHoldingsParts {
  readonly log: Log;
  readonly index: RecordIndex;
  readonly loader: RecordLoader;
  readonly damage: Damage;
  /** A bucket's n. */
  readonly classOf: (bucket: string) => number;
  readonly removals: Removals;
  /** The highest number that a segment has. */
  readonly lastSegment: () => number;
}

/** What is held where the log is the database: the index says where, and every change moves it. */
export class LogHoldings implements Holdings<Lookup> {
  readonly #parts: LogHoldingsParts;

  constructor(parts: LogHoldingsParts) {
    this.#parts = parts;
  }

  lookup(key: PlacedKey, settle: (lookup: Lookup) => void): void {
    this.#parts.loader.lookup(key, settle);
  }

  bytesOf(lookup: Lookup): number {
    return typeof lookup === "object" ? lookup.stored.bytes.length : 0;
  }

  heldOf({ partition, token }: PlacedKey, lookup: Lookup): Held {
    if (typeof lookup === "object") return { state: "present", stored: lookup.stored };
    const { damage } = this.#parts;
    const isLost = lookup === "damaged" || damage.isUnknown(partition, token);
    return { state: isLost ? "unknown" : "absent" };
  }

  groupOf({ token }: PlacedKey, lookup: Lookup): Group | undefined {
    const { loader } = this.#parts;
    return typeof lookup === "object"
      ? loader.groupOf(lookup.location)
      : loader.groupRemoving(token);
  }

  append({ bucket, partition, token }: PlacedKey, lookup: Lookup, stored: StoredRecord): Group {
    const { index, log, loader, classOf } = this.#parts;
    const replaced = this.#replacedBy(partition, token, lookup);
    const isBeside = index.countOf(partition, token) > (replaced === undefined ? 0 : 1);
    const kind = isBeside ? entryKinds.besideRecord : entryKinds.record;
    const { group, segment, offset, length } = log.append(kind, stored.bytes);
    const copies = classOf(bucket);
    const digest = withClass(recordDigest(stored.bytes), copies);
    const due = dueOf(nextDeadlineMs(stored.record));
    const location: Location = {
      segment,
      offset,
      length,
      digest,
      due,
      isWide: isWide(stored.record, copies),
    };
    if (replaced === undefined) index.insert(partition, token, location);
    else {
      const isMoved = index.move(partition, token, replaced, location);
      invariant(isMoved, "a key's entry stays where it is while its update runs");
    }
    loader.noteAppended(location, stored, group);
    return group;
  }

  /**
   * A removal speaks for all that its token holds: so what shares it with another key, or with what
   * is damaged, stays.
   */
  remove({ partition, token }: PlacedKey, lookup: Lookup): Group | undefined {
    const { index, log, loader, removals } = this.#parts;
    const isAlone = index.countOf(partition, token) === 1;
    if (typeof lookup !== "object" || !isAlone) return undefined;
    const horizon = this.#parts.lastSegment();
    const body = encodeRemovals([{ token, lsn: ownLsn, horizon }]);
    const { group, segment } = log.append(entryKinds.gone, body);
    removals.add(segment, { token, lsn: log.lsn - 1, horizon });
    const isRemoved = index.remove(partition, token, lookup.location);
    invariant(isRemoved, "a key's entry stays where it is while its update runs");
    loader.noteRemoved(token, group);
    return group;
  }

  /** The entry that gives way. A damaged one is taken to be the key's, if it is the only one. */
  #replacedBy(partition: PartitionId, token: Token, lookup: Lookup): Location | undefined {
    if (typeof lookup === "object") return lookup.location;
    return lookup === "damaged" ? this.#parts.index.findOne(partition, token) : undefined;
  }
}
