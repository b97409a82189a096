import { type CausalRecord, type NodeId, latin1 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { HintDebt, type HintPlaces } from "../../src/hints/hint-debt.ts";
import { SmallCluster, node } from "../small-cluster.ts";
import { BookWorld, n1, n2, valuesOf, version } from "./book-world.ts";
import { type Delivered, ListPayer, placesOf } from "./list-payer.ts";
import { hint, tell } from "./tell.ts";

const names: readonly string[] = Array.from({ length: 40 }, (_, at) => `key-${at}`);
const nothing = { records: 0, bytes: 0, dirtyPartitions: 0 };

async function holdAll(directory: BookWorld, counter: number = 1): Promise<void> {
  for (const name of names) {
    const outcome = await directory.held(n1, name, version(name, counter));
    expect(outcome.ok).toBe(true);
  }
}

function valuesAt(delivered: Delivered, name: string): readonly string[] {
  return valuesOf(delivered.get(name) as CausalRecord);
}

describe("delivery", () => {
  it("brings everything, then owes nothing and leaves no file", async () => {
    const directory = await BookWorld.opened();
    await holdAll(directory);
    await directory.held(n2, "a", version("a", 1));
    const debt = new HintDebt(n1, directory.book, placesOf([]));
    expect(debt.owed()).toMatchObject({ records: 40, dirtyPartitions: 0 });
    const delivered: Delivered = new Map();
    const payer = new ListPayer(directory, delivered);
    expect(await directory.until(debt.pay(payer))).toBe("paid");
    expect([...delivered.keys()].toSorted()).toEqual([...names].toSorted());
    expect(payer.sent).toBe(40);
    expect(debt.owed()).toEqual(nothing);
    expect(directory.book.targets()).toEqual([n2]);
    expect(directory.files().every((name) => name.startsWith("hint-00000002."))).toBe(true);
  });

  it("goes on where it broke off, and keeps all until all is acknowledged", async () => {
    const directory = await BookWorld.opened();
    await holdAll(directory);
    const debt = new HintDebt(n1, directory.book, placesOf([]));
    const delivered: Delivered = new Map();
    const first = new ListPayer(directory, delivered, 15);
    expect(await directory.until(debt.pay(first))).toBe("target-failed");
    expect(delivered.size).toBe(15);
    expect(debt.owed().records).toBe(25);
    for (const name of names) expect(await directory.values(name)).toEqual(["a1"]);
    const second = new ListPayer(directory, delivered);
    expect(await directory.until(debt.pay(second))).toBe("paid");
    expect(delivered.size).toBe(40);
    expect(second.sent).toBe(25);
    expect(debt.owed()).toEqual(nothing);
  });

  it("brings what comes while it is under way too", async () => {
    const directory = await BookWorld.opened();
    await holdAll(directory);
    const debt = new HintDebt(n1, directory.book, placesOf([]));
    const delivered: Delivered = new Map();
    const paying = debt.pay(new ListPayer(directory, delivered));
    await directory.pass(1);
    const later = names.map((name) => directory.hold(n1, name, version(name, 2)));
    await directory.until(Promise.all(later));
    expect(await directory.until(paying)).toBe("paid");
    for (const name of names) expect(valuesAt(delivered, name)).toEqual(["a2"]);
    expect(debt.owed()).toEqual(nothing);
  });

  it("delivers again after a restart what was not dropped", async () => {
    const directory = await BookWorld.opened();
    await holdAll(directory);
    const delivered: Delivered = new Map();
    const early = new HintDebt(n1, directory.book, placesOf([]));
    await directory.until(early.pay(new ListPayer(directory, delivered, 39)));
    await directory.restart();
    const debt = new HintDebt(n1, directory.book, placesOf([]));
    const payer = new ListPayer(directory, delivered);
    expect(await directory.until(debt.pay(payer))).toBe("paid");
    expect(payer.sent).toBe(40);
    expect(delivered.size).toBe(40);
  });

  it("owes to every primary what an earlier process may have told nobody", async () => {
    const directory = await BookWorld.opened();
    await holdAll(directory);
    await directory.restart();
    await directory.held(n1, "new", version("new", 1));
    const debt = new HintDebt(n1, directory.book, placesOf([n1, n2]));
    const delivered: Delivered = new Map();
    // Nothing is dropped before the others are owed it, wherever delivery breaks off.
    await directory.until(debt.pay(new ListPayer(directory, delivered, 10)));
    expect(await directory.until(debt.pay(new ListPayer(directory, delivered)))).toBe("paid");
    expect(delivered.size).toBe(41);
    expect(directory.book.targets()).toEqual([n2]);
    const other = new HintDebt(n2, directory.book, placesOf([n1, n2]));
    const [held] = directory.book.statistics().held;
    expect(held?.records).toBeGreaterThanOrEqual(40);
    const toOther: Delivered = new Map();
    expect(await directory.until(other.pay(new ListPayer(directory, toOther)))).toBe("paid");
    expect(names.every((name) => toOther.has(name))).toBe(true);
    expect(directory.book.targets()).toEqual([]);
  });

  it("brings it to the others at once where there is no room to hold it for them", async () => {
    const roomy = await BookWorld.opened();
    await holdAll(roomy);
    const [generation] = roomy.book.generationsFor(n1);
    const bytes = generation?.bytes ?? 0;
    expect(bytes).toBeGreaterThan(0);
    // Room for what is held for one, and not for as much again.
    const directory = await BookWorld.opened(1, Math.floor(bytes * 1.2));
    await holdAll(directory);
    await directory.restart();
    const others = new Map<string, NodeId>();
    const merge = (isTaken: boolean): HintPlaces => ({
      ...placesOf([n1, n2]),
      mergeAt: (id, { key }, _stored, settle) => {
        if (isTaken) others.set(latin1(key), id);
        settle(isTaken);
      },
    });
    const delivered: Delivered = new Map();
    const refused = new HintDebt(n1, directory.book, merge(false));
    const first = new ListPayer(directory, delivered);
    expect(await directory.until(refused.pay(first))).toBe("stopped");
    expect(directory.book.targets()).toContain(n1);
    const debt = new HintDebt(n1, directory.book, merge(true));
    const payer = new ListPayer(directory, delivered);
    expect(await directory.until(debt.pay(payer))).toBe("paid");
    expect(delivered.size).toBe(40);
    expect(others.size).toBeGreaterThan(0);
    expect(new Set(others.values())).toEqual(new Set([n2]));
    expect(directory.book.targets()).toEqual([n2]);
  });

  it("makes two generations at most of a target that comes and goes", async () => {
    const directory = await BookWorld.opened();
    const debt = new HintDebt(n1, directory.book, placesOf([]));
    const delivered: Delivered = new Map();
    for (let counter = 1; counter < 6; counter += 1) {
      await holdAll(directory, counter);
      const payer = new ListPayer(directory, delivered, 3);
      expect(await directory.until(debt.pay(payer))).toBe("target-failed");
    }
    expect(directory.book.generationsFor(n1)).toHaveLength(2);
    await directory.until(debt.pay(new ListPayer(directory, delivered)));
    for (const name of names) expect(valuesAt(delivered, name)).toEqual(["a5"]);
  });

  it("brings large records, which are read one by one", async () => {
    const directory = await BookWorld.opened(1, 8 * 1024 * 1024);
    const value = "v".repeat(100_000);
    for (const name of names.slice(0, 5)) {
      await directory.held(n1, name, version(name, 1, { value }));
    }
    const delivered: Delivered = new Map();
    const debt = new HintDebt(n1, directory.book, placesOf([]));
    expect(await directory.until(debt.pay(new ListPayer(directory, delivered)))).toBe("paid");
    for (const name of names.slice(0, 5)) expect(valuesAt(delivered, name)).toEqual([value]);
  });
});

describe("rot", () => {
  it("takes one record and no other; its partition is dirty, and the loss is told", async () => {
    const directory = await BookWorld.opened();
    await holdAll(directory);
    await directory.stop();
    directory.rot("key-7");
    await directory.open();
    const debt = new HintDebt(n1, directory.book, placesOf([]));
    await directory.until(debt.pay(new ListPayer(directory, new Map(), 0)));
    expect(await directory.values("key-7")).toBe("unknown");
    expect(debt.owed()).toMatchObject({ dirtyPartitions: 1 });
    const delivered: Delivered = new Map();
    expect(await directory.until(debt.pay(new ListPayer(directory, delivered)))).toBe("paid");
    expect(delivered.size).toBe(39);
    expect(delivered.has("key-7")).toBe(false);
    expect(directory.lost).toEqual([{ target: n1, records: 1, isAll: true }]);
    expect(debt.owed()).toEqual(nothing);
  });

  it("of the log's end takes what nobody can name; the rest is delivered", async () => {
    const directory = await BookWorld.opened();
    await holdAll(directory);
    directory.crash("kill");
    await directory.open();
    await directory.held(n1, "later", version("later", 1));
    directory.crash("kill");
    directory.rot("key-7");
    await directory.open();
    const debt = new HintDebt(n1, directory.book, placesOf([]));
    expect(await directory.values("key-8")).toBe("unknown");
    expect(debt.owed().dirtyPartitions).toBe(8);
    await directory.held(n1, "new", version("new", 1));
    const delivered: Delivered = new Map();
    expect(await directory.until(debt.pay(new ListPayer(directory, delivered)))).toBe("paid");
    expect(delivered.has("key-7")).toBe(false);
    expect(delivered.size).toBe(41);
    expect(directory.lost).toMatchObject([{ target: n1, isAll: false }]);
  });
});

describe("in a cluster", () => {
  it("begins when the target is back, and ends with nothing held", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { owners, others } = small.owners("a");
    const [target = 0] = owners;
    const [fallback = 0] = others;
    small.crash(target);
    const keys = ["a", ...names].filter((key) => {
      const places = small.owners(key);
      return places.owners.includes(target) && places.others.includes(fallback);
    });
    expect(keys.length).toBeGreaterThan(5);
    for (const key of keys) {
      expect(await tell(small, fallback, hint(key, target))).toMatchObject({ kind: "merged" });
    }
    await small.pass(5000);
    expect(small.at(fallback).statistics().hints?.held).toMatchObject([{ records: keys.length }]);
    expect(small.at(fallback).handoff()?.debts).toMatchObject([
      { target: node(target), kind: "hints", records: keys.length },
    ]);
    await small.restart(target);
    while (small.at(fallback).handoff()?.debts.length !== 0) await small.pass(50);
    for (const key of keys) expect(await small.own(target, key)).toEqual(["a1"]);
    expect(small.at(fallback).statistics().hints?.held).toEqual([]);
    const files = [...small.cluster.disk(node(fallback)).image().keys()];
    expect(files.filter((name) => name.startsWith("hint-"))).toEqual([]);
  });

  it("reaches the target also from a fallback that crashed in between", async () => {
    const small = await SmallCluster.start({ nodes: 5 });
    const { owners, others } = small.owners("a");
    const [target = 0] = owners;
    const [fallback = 0] = others;
    small.crash(target);
    await tell(small, fallback, hint("a", target));
    small.crash(fallback);
    await small.restart(fallback);
    await small.restart(target);
    while (small.at(fallback).handoff()?.debts.length !== 0) await small.pass(50);
    expect(await small.own(target, "a")).toEqual(["a1"]);
  });
});
