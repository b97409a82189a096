import { mergeRecords, encodeRecord, compareTokens, recordDigest, withClass } from "@coterie/core";
import { describe, expect, it } from "vitest";
import type {
  Held,
  IndexEntry,
  PlacedKey,
  RecordVersion,
  StoredRecord,
  UpdateOutcome,
} from "../src/index.ts";
import {
  StoreWorld,
  type WorldOptions,
  placed,
  storeKinds,
  version,
  versionOf,
} from "./store-world.ts";

/** Merges as a replica does: what is held wins where it covers what comes. */
function merge(
  directory: StoreWorld,
  name: string,
  incoming: StoredRecord,
): Promise<UpdateOutcome> {
  const apply = (held: Held): StoredRecord | undefined => {
    if (held.state !== "present") return incoming;
    const record = mergeRecords(held.stored.record, incoming.record);
    if (record === held.stored.record) return undefined;
    return { record, bytes: encodeRecord(placed(name), record) };
  };
  return directory.world.runUntilSettled(
    new Promise((settle) => {
      const update = { bytes: incoming.bytes.length, mayUseReserve: true, apply, settle };
      directory.store.update(placed(name), update);
    }),
  );
}

describe.each(storeKinds)("a store (%s)", (kind) => {
  async function opened(seed: number, options: WorldOptions = {}): Promise<StoreWorld> {
    const directory = new StoreWorld(seed, { kind, ...options });
    await directory.open();
    return directory;
  }

  describe("a key", () => {
    it("behaviour 8: is absent when it was never put", async () => {
      const directory = await opened(1);
      expect(await directory.read("nobody")).toEqual({ state: "absent" });
    });

    it("behaviour 9: put then get gives what was put", async () => {
      const directory = await opened(2);
      expect(await directory.updated("key", 1)).toEqual({ ok: true, changed: true });
      const held = await directory.read("key");
      expect(held.state === "present" && held.stored.bytes).toEqual(version("key", 1).bytes);
    });

    it("behaviour 12: ignores a stale record", async () => {
      const directory = await opened(3);
      await directory.updated("key", 5);
      const { bytesAppended } = directory.store.statistics();
      expect(await merge(directory, "key", version("key", 3))).toEqual({
        ok: true,
        changed: false,
      });
      expect(versionOf(await directory.read("key"))).toBe(5);
      expect(directory.store.statistics().bytesAppended).toBe(bytesAppended);
    });

    it("tells when what has come so far was applied, and waits for nothing later", async () => {
      const directory = await opened(5);
      await directory.updated("early", 1);
      await directory.updated("late", 1);
      await directory.restart();
      const ran: string[] = [];
      const begin = (name: string): Promise<UpdateOutcome> =>
        new Promise((settle) => {
          const apply = (): StoredRecord => {
            ran.push(name);
            return version(name, 2);
          };
          directory.store.update(placed(name), { bytes: 100, mayUseReserve: false, apply, settle });
        });
      const early = begin("early");
      expect(ran).toEqual([]);
      const applied = directory.store.applied().then(() => ran.push("applied"));
      const again = directory.store.applied().then(() => ran.push("applied again"));
      await directory.world.runUntilSettled(Promise.all([early, applied, again]));
      const late = begin("late");
      expect(ran).toEqual(["early", "applied", "applied again"]);
      await directory.world.runUntilSettled(directory.store.applied());
      expect(ran.at(-1)).toBe("late");
      await directory.world.runUntilSettled(late);
      await directory.world.runUntilSettled(directory.store.applied());
    });

    it("has its updates run in order, also while its record is being read", async () => {
      const directory = await opened(4);
      await directory.updated("key", 1);
      await directory.restart();
      const seen: number[] = [];
      const outcomes = [2, 3, 4].map(
        (counter) =>
          new Promise<UpdateOutcome>((settle) => {
            directory.store.update(placed("key"), {
              bytes: 100,
              mayUseReserve: false,
              apply: (held) => {
                seen.push(versionOf(held));
                return version("key", counter);
              },
              settle,
            });
          }),
      );
      // The record is not in memory: nothing can happen in this turn.
      expect(seen).toEqual([]);
      await directory.world.runUntilSettled(Promise.all(outcomes));
      expect(seen).toEqual([1, 2, 3]);
    });

    it("is updated in the same turn when its record is in memory", async () => {
      const directory = await opened(5, { cacheBytes: 64 * 1024 });
      await directory.updated("key", 1);
      void directory.update("key", 2);
      const seen: number[] = [];
      directory.store.update(placed("key"), {
        bytes: 100,
        mayUseReserve: false,
        apply: (held) => {
          seen.push(versionOf(held));
          return undefined;
        },
        settle: () => undefined,
      });
      expect(seen).toEqual([2]);
    });

    it("is read only once its record is durable", async () => {
      const directory = await opened(6, { cacheBytes: 64 * 1024 });
      await directory.updated("key", 1);
      const { readsFromDisk } = directory.store.statistics();
      const order: string[] = [];
      void directory.update("key", 2).then(() => order.push("durable"));
      directory.store.read(placed("key"), (outcome) => {
        order.push(outcome.ok ? `read ${versionOf(outcome.held)}` : outcome.code);
      });
      expect(order).toEqual([]);
      await directory.pass(50);
      expect(order.toSorted()).toEqual(["durable", "read 2"]);
      expect(directory.store.statistics().readsFromDisk).toBe(readsFromDisk);
    });

    it("is named by its record's digest and size once that is durable", async () => {
      const directory = await opened(8, { cacheBytes: 64 * 1024 });
      const named: (RecordVersion | undefined)[] = [];
      const name = (): void => directory.store.name(placed("key"), (each) => named.push(each));
      name();
      expect(named).toEqual([undefined]);
      await directory.updated("key", 1);
      const put = directory.update("key", 2, 300);
      name();
      expect(named).toEqual([undefined]);
      await directory.world.runUntilSettled(put);
      const { bytes } = version("key", 2, 300);
      const digest = withClass(recordDigest(bytes), 3);
      expect(named).toEqual([undefined, { digest, bytes: bytes.length }]);
    });

    it("is changing while an update of it waits for the disk, and no longer", async () => {
      const directory = await opened(10, { cacheBytes: 0 });
      await directory.updated("key", 1);
      await directory.stop();
      await directory.open();
      const isChanging = (): boolean => directory.store.isChanging(placed("key"));
      const before = isChanging();
      const put = directory.update("key", 2);
      const meanwhile = isChanging();
      await directory.world.runUntilSettled(put);
      expect([before, meanwhile, isChanging()]).toEqual([false, true, false]);
    });

    it("has no name when it may be lost", async () => {
      const directory = await opened(9);
      const one = placed("one");
      const nameOf = (key: PlacedKey): Promise<RecordVersion | undefined> =>
        directory.world.runUntilSettled(
          new Promise((settle) => {
            directory.store.name(key, settle);
          }),
        );
      await directory.updated("one", 1);
      expect(await nameOf(one)).toBeDefined();
      await directory.stop();
      directory.rot("one");
      await directory.open();
      expect(await directory.read("one")).toEqual({ state: "unknown" });
      expect(await nameOf(one)).toBeUndefined();
    });

    it("lives beside another key with the same token, through crashes of neither", async () => {
      const directory = await opened(7);
      const one = placed("one");
      const two: PlacedKey = { ...placed("two"), token: one.token, partition: one.partition };
      const put = (key: PlacedKey, name: string, counter: number): Promise<UpdateOutcome> =>
        directory.world.runUntilSettled(
          new Promise((settle) => {
            const apply = (): StoredRecord => version(name, counter);
            directory.store.update(key, { bytes: 100, mayUseReserve: false, apply, settle });
          }),
        );
      await put(one, "one", 1);
      await put(two, "two", 2);
      await put(one, "one", 3);
      const read = (key: PlacedKey): Promise<number> =>
        directory.world.runUntilSettled(
          new Promise((resolve) => {
            directory.store.read(key, (outcome) =>
              resolve(outcome.ok ? versionOf(outcome.held) : -9),
            );
          }),
        );
      for (let other = 0; other < 8; other += 1) await directory.updated(`other-${other}`, 1);
      expect([await read(one), await read(two)]).toEqual([3, 2]);
      const names: unknown[] = [];
      directory.store.name(one, (name) => names.push(name));
      expect(names).toEqual([undefined]);
      const { partition, token } = one;
      const found = await directory.world.runUntilSettled(
        new Promise<readonly StoredRecord[] | "unknown">((resolve) => {
          directory.store.find({ partition, token, evenIfDamaged: false }, resolve);
        }),
      );
      expect(found).toHaveLength(2);
      expect(directory.store.statistics().keys).toBe(10);
    });
  });

  describe("the store", () => {
    it("lists a partition in ring order, page by page", async () => {
      const directory = await opened(8);
      for (let key = 0; key < 200; key += 1) await directory.updated(`key-${key}`, 1);
      let keys = 0;
      for (let partition = 0; partition < 4; partition += 1) {
        const listed: IndexEntry[] = [];
        for (;;) {
          const page = await directory.list(partition, listed.at(-1)?.token, 7);
          listed.push(...page);
          if (page.length < 7) break;
        }
        const tokens = listed.map(({ token }) => token);
        expect(tokens).toEqual(tokens.toSorted(compareTokens));
        keys += listed.length;
      }
      expect(keys).toBe(200);
    });

    it("refuses updates beyond its queue at once, and takes them when it has drained", async () => {
      const directory = await opened(9, { queueBytesMax: 1000 });
      const outcomes: UpdateOutcome[] = [];
      for (let key = 0; key < 12; key += 1) {
        void directory.update(`key-${key}`, 1, 100).then((outcome) => outcomes.push(outcome));
      }
      expect(directory.store.statistics().queueBytes).toBe(1000);
      await directory.pass(50);
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(10);
      const refused = outcomes.filter((outcome) => !outcome.ok);
      expect(refused).toEqual([
        { ok: false, code: "overloaded" },
        { ok: false, code: "overloaded" },
      ]);
      expect(directory.store.statistics().queueBytes).toBe(0);
      expect(await directory.updated("key-11", 1)).toEqual({ ok: true, changed: true });
    });

    it("writes all updates of a turn as one group, and those of its sync as the next", async () => {
      const directory = await opened(10, { cacheBytes: 64 * 1024 });
      // An engine is asked for what it does not have: one answer comes before another.
      for (let key = 0; key < 50; key += 1) await directory.updated(`key-${key}`, 1);
      const before = directory.store.statistics();
      const all = Array.from({ length: 50 }, (_, key) => directory.update(`key-${key}`, 2));
      await directory.world.runUntilSettled(Promise.all(all));
      const after = directory.store.statistics();
      expect(after.groups - before.groups).toBe(1);
      expect(after.fsyncs - before.fsyncs).toBe(1);
      expect(after.recordsAppended - before.recordsAppended).toBe(50);
    });

    it("gives a record larger than a segment one of its own", async () => {
      const directory = await opened(11, { queueBytesMax: 4 * 1024 * 1024 });
      await directory.updated("before", 1);
      await directory.updated("huge", 1, 300_000);
      await directory.updated("after", 1);
      directory.crash();
      await directory.open();
      for (const name of ["before", "huge", "after"]) {
        expect(versionOf(await directory.read(name))).toBe(1);
      }
    });

    it("stops while space is being allocated, and leaves its files alone then", async () => {
      const directory = await opened(13, { segmentBytes: 8 * 1024 * 1024 });
      await directory.world.runUntilSettled(directory.store.stop());
      const { operations } = directory;
      await directory.pass(1000);
      expect(directory.operations).toBe(operations);
      directory.crash("kill");
      expect((await directory.open()).wasCleanStop).toBe(true);
    });

    it("finishes what is under way before it stops, and refuses what comes later", async () => {
      const directory = await opened(12);
      const last = directory.update("key", 1);
      const stopped = directory.store.stop();
      const late = directory.update("late", 1);
      await directory.world.runUntilSettled(stopped);
      expect(await last).toEqual({ ok: true, changed: true });
      expect(await late).toEqual({ ok: false, code: "failed" });
    });
  });
});
