import {
  type ActorId,
  type CausalRecord,
  DeadWrites,
  type NodeId,
  type Ring,
  VersionVector,
  encodeRecord,
  recordDigest,
  utf8,
  withClass,
} from "@coterie/core";
import type { RecordStore, StoredRecord } from "@coterie/storage";
import { expect, it } from "vitest";
import type { HintBook } from "../../src/hints/hint-book.ts";
import type { ListedEntry, ReapRequest } from "../../src/messages.ts";
import { type ReapingParts, reap } from "../../src/reaping/answer-reaping.ts";
import type { FenceTable } from "../../src/reaping/fence-table.ts";

const key = { bucket: "default", key: utf8("k") };
const token = { high: 1, low: 2 };

function tombstone(counter: number): StoredRecord {
  const clock = VersionVector.of([{ actor: "0011223344556677" as ActorId, counter }]);
  const record: CausalRecord = { clock, siblings: [], deadWrites: DeadWrites.none };
  return { record, bytes: encodeRecord(key, record) };
}

/** A store in which the record is this one by when it is to be replaced, whatever it was before. */
function storeThatFinds(atLast: StoredRecord, wasHolding: boolean): RecordStore {
  const part: Partial<RecordStore> = {
    holding: (_, entries) => Promise.resolve(entries.map(() => wasHolding)),
    find: (_, settle) => settle([tombstone(1)]),
    update: (_, { apply, settle }) => {
      apply({ state: "present", stored: atLast });
      settle({ ok: true, changed: false });
    },
    entriesAt: (places) =>
      Promise.resolve(
        places.map(({ token: at }) => ({ token: at, digest: at, bytes: 0, place: 0 })),
      ),
  };
  return part as RecordStore;
}

async function noted(store: RecordStore): Promise<readonly ListedEntry[]> {
  const found: ListedEntry[] = [];
  const fences = { of: () => ({ raised: 1, reaped: 0 }), reap: () => Promise.resolve(true) };
  const parts: ReapingParts = {
    self: "n1" as NodeId,
    store,
    hints: {} as HintBook,
    fences: fences as unknown as FenceTable,
    ring: () => ({ isOwner: () => true }) as unknown as Ring,
    missed: { noteDiffering: (_, entries) => found.push(...entries) },
  };
  const request = { kind: "reap", partition: 0, fence: 1, entries: [entry], cuts: [] } as const;
  expect(await reap(parts, request as unknown as ReapRequest)).toEqual({ kind: "reaped" });
  return found;
}

const entry: ListedEntry = {
  token,
  digest: withClass(recordDigest(tombstone(1).bytes), 3),
};

it("owes nobody anything for what it could forget", async () => {
  expect(await noted(storeThatFinds(tombstone(1), true))).toEqual([]);
});

it("owes others what is here in place of what it was to forget", async () => {
  expect(await noted(storeThatFinds(tombstone(2), false))).toEqual([entry]);
});

it("owes it, too, where it changed between the look and its turn", async () => {
  expect(await noted(storeThatFinds(tombstone(2), true))).toEqual([entry]);
});
