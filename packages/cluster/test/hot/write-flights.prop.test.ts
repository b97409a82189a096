import {
  type CausalContext,
  type CausalRecord,
  type Dot,
  type NodeId,
  type WriteId,
  applyDelete,
  applyPut,
  contextOf,
  deadWritesGone,
  emptyRecord,
  mergeRecords,
  tokenOf,
  utf8,
} from "@coterie/core";
import { SimClock, World } from "@coterie/sim";
import type { StoredRecord } from "@coterie/storage";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { storedOf } from "../../src/coordinator/replica-calls.ts";
import { type SendRecord, WriteFlights } from "../../src/coordinator/write-flights.ts";
import type { MergeOutcome } from "../../src/replica/replica.ts";

interface Asked {
  readonly key: "a" | "b";
  /** `repair`: sends a record that was made before, as reads do whose replicas differed. */
  readonly kind: "put" | "delete" | "repair";
  /**
   * Which of the contexts that there were, the newest first; 0 or too many: none. Of a repair,
   * which of the records.
   */
  readonly context: number;
  readonly afterMs: number;
  /** Of the record that is sent, until it is stored, and from then until the answer is here. */
  readonly takesMs: number;
  readonly answersMs: number;
  readonly isRefused: boolean;
  readonly epoch: number;
}

const asked = fc.record<Asked>({
  key: fc.constantFrom("a", "a", "a", "b"),
  kind: fc.constantFrom("put", "put", "put", "put", "delete", "repair"),
  context: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12 })),
  afterMs: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 1, max: 10 })),
  takesMs: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(400)),
  answersMs: fc.integer({ min: 1, max: 20 }),
  isRefused: fc.constantFrom(false, false, false, false, false, true),
  epoch: fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 2),
});

interface Made {
  readonly asked: Asked;
  readonly record: CausalRecord;
  readonly outcomes: MergeOutcome[];
  /** What the replica held when the first of these came; and the ids it had been told by then. */
  stored: CausalRecord | undefined;
  told: ReadonlySet<WriteId>;
}

const to = "n2" as NodeId;

/** A replica of one key, and every id that it was ever told of. */
class Replica {
  record: CausalRecord = emptyRecord;
  readonly told = new Set<WriteId>();

  merge(record: CausalRecord): void {
    for (const { writeId } of record.deadWrites.toArray()) this.told.add(writeId);
    const after = mergeRecords(this.record, record);
    for (const before of [this.record, record]) {
      for (const { writeId } of deadWritesGone(before, after)) this.told.add(writeId);
    }
    this.record = after;
  }
}

/** Writes on virtual time, and what the replica had when each was told that it is stored there. */
async function run(
  writes: readonly Asked[],
): Promise<{ made: Made[]; sent: number; joined: number; lanes: number; replica: Replica }> {
  const world = new World({ seed: 1, drain: () => new Promise((done) => setImmediate(done)) });
  const clock = new SimClock(world);
  const counters = { writesJoined: 0 };
  const flights = new WriteFlights({ clock, counters, tuning: {} });
  const replicas = { a: new Replica(), b: new Replica() };
  const held = { a: emptyRecord, b: emptyRecord };
  const contexts: Record<"a" | "b", CausalContext[]> = { a: [], b: [] };
  const records: Record<"a" | "b", CausalRecord[]> = { a: [], b: [] };
  const made: Made[] = [];
  let sent = 0;
  let atMs = 0;
  for (const write of writes) {
    atMs += write.afterMs;
    world.scheduleAt(atMs, () => {
      const { key } = write;
      const number = made.length + 1;
      const record =
        write.kind === "repair"
          ? (records[key].at(-1 - write.context) ?? held[key])
          : apply(held[key], write, number, contexts[key][write.context - 1]);
      if (write.kind !== "repair") held[key] = record;
      records[key].push(record);
      contexts[key].unshift(contextOf(record));
      const one: Made = { asked: write, record, outcomes: [], stored: undefined, told: new Set() };
      made.push(one);
      const place = { bucket: "default", key: utf8(key) };
      const token = tokenOf(place, { hash: "md5", partitions: 64 });
      const plan = {
        placed: { ...place, token, partition: 0, fence: 0 },
        stamp: { epoch: write.epoch, tag: 1 },
        deadline: clock.monotonicMs() + 2000,
      };
      const send: SendRecord = (_plan, { record: each }: StoredRecord, settle) => {
        sent += 1;
        const { takesMs, answersMs, isRefused } = write;
        world.schedule(takesMs, () => {
          if (!isRefused) replicas[key].merge(each);
          world.schedule(answersMs, () =>
            settle(isRefused ? { ok: false, code: "overloaded" } : { ok: true, changed: true }),
          );
        });
      };
      flights.send(to, plan, storedOf(place, record), send, (outcome) => {
        one.outcomes.push(outcome);
        one.stored ??= replicas[key].record;
        one.told = new Set(replicas[key].told);
      });
    });
  }
  await world.run({ until: atMs + 20_000 });
  const { lanes } = flights;
  return { made, sent, joined: counters.writesJoined, lanes, replica: replicas.a };
}

function apply(
  held: CausalRecord,
  { kind }: Asked,
  number: number,
  context: CausalContext | undefined,
): CausalRecord {
  if (kind === "delete") return applyDelete(held, context ?? contextOf(held));
  const writtenAt = { wallMs: 1000 + number, logical: 0 };
  const writeId = number.toString(16).padStart(32, "0") as WriteId;
  const value = utf8(String(number));
  const mint = (): Dot => ({ actor: "aaaaaaaaaaaaaaaa" as Dot["actor"], counter: number });
  const applied = applyPut(held, { value, contentType: "", writtenAt, writeId, context, mint });
  return applied.ok ? applied.record : held;
}

it("what is acknowledged is stored, alone or within a record that was made of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { maxLength: 120 }), async (writes) => {
      const { made, sent, joined, lanes } = await run(writes);
      expect(made.length).toBe(writes.length);
      expect(sent + joined).toBe(writes.length);
      expect(lanes).toBe(0);
      for (const { record, outcomes, stored = emptyRecord } of made) {
        expect(outcomes.length).toBe(1);
        if (outcomes[0]?.ok !== true) continue;
        const merged = mergeRecords(stored, record);
        expect(merged.clock).toEqual(stored.clock);
        expect(merged.siblings).toEqual(stored.siblings);
      }
    }),
    { numRuns: 150 },
  );
});

it("no id of an overwritten write is kept from the replica", async () => {
  const sound = asked.map((each) => ({ ...each, isRefused: false }));
  await fc.assert(
    fc.asyncProperty(fc.array(sound, { minLength: 60, maxLength: 200 }), async (writes) => {
      const { made } = await run(writes.map((each) => ({ ...each, kind: "put" as const })));
      for (const { record, told } of made) {
        const ids = record.deadWrites.toArray().map(({ writeId }) => writeId);
        expect(ids.filter((id) => !told.has(id))).toEqual([]);
      }
    }),
    { numRuns: 60 },
  );
});

const plain: Asked = {
  key: "a",
  kind: "put",
  context: 1,
  afterMs: 0,
  takesMs: 5,
  answersMs: 5,
  isRefused: false,
  epoch: 1,
};
/** So many are sent at once; in this order, and slowly. */
const slow: Asked = { ...plain, afterMs: 1, takesMs: 400 };
const few: readonly Asked[] = Array.from({ length: 8 }, () => slow);

it("sends a few at once, and then one for all that were made meanwhile", async () => {
  const { sent, joined, replica } = await run(Array.from({ length: 40 }, () => plain));
  expect([sent, joined]).toEqual([9, 31]);
  expect(replica.record.siblings.length).toBe(1);
  expect(replica.record.deadWrites.size).toBe(39);
});

it("sends more where one record would tell of too few overwritten writes", async () => {
  const { sent, replica } = await run(Array.from({ length: 300 }, () => plain));
  expect(sent).toBeGreaterThan(10);
  expect(sent).toBeLessThan(20);
  expect(replica.told.size).toBe(299);
});

it.each<[string, Asked, Asked]>([
  ["a delete, which may be stored where a value has no room", { ...slow, kind: "delete" }, slow],
  ["what was made under other owners", slow, { ...slow, epoch: 2 }],
])("sends %s, by itself", async (_, waits, comes) => {
  const { sent, joined } = await run([...few, waits, comes]);
  expect([sent, joined]).toEqual([10, 0]);
});

it("sends a delete by itself where a read then repairs with what it has taken away", async () => {
  const blind = { ...slow, context: 0 };
  // Of the two values that there are then, the first.
  const waits: Asked = { ...slow, kind: "delete", context: 2 };
  const comes: Asked = { ...slow, kind: "repair", context: 1 };
  const { made, sent, joined } = await run([...few.slice(1), blind, waits, comes]);
  expect(made.at(-1)?.record).toBe(made.at(-3)?.record);
  expect(made.at(-2)?.record.siblings.length).toBe(1);
  expect([sent, joined]).toEqual([10, 0]);
});

it("sends a record by itself that the next one was not made of", () => {
  const flights = new WriteFlights({
    clock: new SimClock(new World({ seed: 1, drain: () => Promise.resolve() })),
    counters: { writesJoined: 0 },
    tuning: {},
  });
  const sent: CausalRecord[] = [];
  const place = { bucket: "default", key: utf8("a") };
  const token = tokenOf(place, { hash: "md5", partitions: 64 });
  const placed = { ...place, token, partition: 0, fence: 0 };
  const plan = { placed, stamp: { epoch: 1, tag: 1 }, deadline: 1000 };
  const send: SendRecord = (_plan, { record }) => sent.push(record);
  // As after damage: the last was made where nobody knew of the one that waits.
  const records = [1, 2, 3, 4, 5, 6, 7, 8, 10, 9].map((number): CausalRecord => {
    const record = apply(emptyRecord, plain, number, undefined);
    const siblings = record.siblings.map((sibling) => ({ ...sibling, writeId: undefined }));
    return { ...record, siblings };
  });
  for (const record of records) {
    flights.send(to, plan, storedOf(place, record), send, () => undefined);
  }
  expect(sent).toEqual(records.slice(0, 9));
});
