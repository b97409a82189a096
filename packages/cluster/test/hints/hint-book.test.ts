import { describe, expect, it } from "vitest";
import { BookWorld, n1, n2, valuesOf, version } from "./book-world.ts";

const ok = { ok: true, changed: true };
const other = { actor: "00000000000000bb" };

describe("what is held", () => {
  it("is nothing at first, and makes no file", async () => {
    const directory = await BookWorld.opened();
    expect(await directory.values("a")).toBe("absent");
    expect(directory.files()).toEqual([]);
    expect(directory.book.statistics()).toEqual({ held: [], bytes: 0, refused: 0 });
  });

  it("is merged per key, never replaced", async () => {
    const directory = await BookWorld.opened();
    expect(await directory.held(n1, "a", version("a", 1))).toEqual(ok);
    expect(await directory.held(n1, "a", version("a", 1, other))).toEqual(ok);
    expect(await directory.held(n1, "a", version("a", 2))).toEqual(ok);
    expect(await directory.held(n1, "a", version("a", 1))).toEqual({ ok: true, changed: false });
    expect(await directory.values("a")).toEqual(["a2", "b1"]);
  });

  it("is read for all targets together", async () => {
    const directory = await BookWorld.opened();
    await directory.held(n1, "a", version("a", 1));
    await directory.held(n2, "a", version("a", 1, other));
    expect(await directory.values("a")).toEqual(["a1", "b1"]);
    expect(await directory.values("b")).toBe("absent");
    expect(directory.book.targets()).toEqual([n1, n2]);
    const { held, bytes } = directory.book.statistics();
    expect(held.map(({ target, records }) => [target, records])).toEqual([
      [n1, 1],
      [n2, 1],
    ]);
    expect(bytes).toBe(held.reduce((sum, each) => sum + each.bytes, 0));
  });

  it.each(["stop", "power", "kill"] as const)("is held after a %s", async (how) => {
    const directory = await BookWorld.opened();
    await directory.held(n1, "a", version("a", 1));
    await directory.held(n2, "b", version("b", 1));
    const before = directory.book.statistics();
    if (how === "stop") await directory.stop();
    else directory.crash(how);
    await directory.open();
    expect(await directory.values("a")).toEqual(["a1"]);
    expect(await directory.values("b")).toEqual(["a1"]);
    expect(directory.book.statistics()).toEqual(before);
  });

  it("comes many at once, the first of which has to wait for its files", async () => {
    const directory = await BookWorld.opened();
    const names = Array.from({ length: 50 }, (_, at) => `key-${at}`);
    const holding = names.map((name) => directory.hold(n1, name, version(name, 1)));
    await directory.until(Promise.all(holding));
    for (const name of names) expect(await directory.values(name)).toEqual(["a1"]);
    expect(directory.book.generationsFor(n1)).toHaveLength(1);
  });
});

describe("the budget", () => {
  it("refuses what goes beyond it, and counts a record once", async () => {
    const directory = await BookWorld.opened(1, 2000);
    const big = { value: "v".repeat(800) };
    expect(await directory.held(n1, "a", version("a", 1, big))).toEqual(ok);
    for (let counter = 2; counter < 6; counter += 1) {
      const covering = version("a", counter, big);
      expect(await directory.held(n1, "a", covering)).toEqual(ok);
    }
    expect(await directory.held(n2, "b", version("b", 1, big))).toEqual(ok);
    const full = { ok: false, code: "hints-full" };
    expect(await directory.held(n2, "c", version("c", 1, big))).toEqual(full);
    expect((await directory.until(directory.write(n1, "c", "v".repeat(800)))).outcome).toEqual(
      full,
    );
    expect(await directory.values("c")).toBe("absent");
    expect(directory.book.statistics().refused).toBe(2);
    expect(directory.book.statistics().bytes).toBeLessThan(2000);
  });

  it("counts what is under way", async () => {
    const directory = await BookWorld.opened(1, 2000);
    const names = ["a", "b", "c", "d"];
    const holding = names.map((name) =>
      directory.hold(n1, name, version(name, 1, { value: "v".repeat(800) })),
    );
    const outcomes = await directory.until(Promise.all(holding));
    expect(outcomes.map((outcome) => outcome.ok)).toEqual([true, true, false, false]);
  });

  it("is free again once a generation was dropped", async () => {
    const directory = await BookWorld.opened(1, 1500);
    const big = { value: "v".repeat(800) };
    await directory.held(n1, "a", version("a", 1, big));
    expect(await directory.held(n2, "b", version("b", 1, big))).toMatchObject({ ok: false });
    await dropAll(directory);
    expect(directory.book.statistics()).toEqual({ held: [], bytes: 0, refused: 1 });
    expect(await directory.held(n2, "b", version("b", 1, big))).toEqual(ok);
  });
});

describe("a write in a target's place", () => {
  it("is held, and follows all that is held of the key", async () => {
    const directory = await BookWorld.opened();
    await directory.held(n2, "a", version("a", 1));
    await directory.held(n1, "a", version("a", 1, other));
    await directory.written(n1, "a", "mine");
    const held = await directory.read("a");
    if (held.state !== "present") throw new Error(held.state);
    expect(valuesOf(held.stored.record)).toEqual(["a1", "b1", "mine"]);
    const [generation] = directory.book.generationsFor(n1);
    const actor = generation?.store.actor;
    expect(held.stored.record.clock.get(actor as never)).toBe(1);
  });

  it("mints on under the same actor, also after a clean stop", async () => {
    const directory = await BookWorld.opened();
    const first = await directory.written(n1, "a", "1");
    await directory.restart();
    const second = await directory.written(n1, "b", "2");
    expect(second).toEqual({ actor: first.actor, counter: 2 });
    const elsewhere = await directory.written(n2, "b", "3");
    expect(elsewhere.actor).not.toBe(first.actor);
  });

  it("mints under a new actor after a crash", async () => {
    const directory = await BookWorld.opened();
    const first = await directory.written(n1, "a", "1");
    directory.crash("kill");
    await directory.open();
    const second = await directory.written(n1, "a", "2");
    expect(second.actor).not.toBe(first.actor);
  });

  it("mints under a new actor once the generation of the old one was sealed", async () => {
    const directory = await BookWorld.opened();
    const first = await directory.written(n1, "a", "1");
    for (const generation of directory.book.generationsFor(n1)) {
      await directory.until(directory.book.seal(generation));
    }
    const second = await directory.written(n1, "a", "2");
    expect(second.actor).not.toBe(first.actor);
    expect(await directory.values("a")).toEqual(["1", "2"]);
  });

  it("mints under a new actor when others know dots that the directory has forgotten", async () => {
    const directory = await BookWorld.opened();
    const first = await directory.written(n1, "a", "1");
    await directory.held(n1, "b", version("b", 7, { actor: first.actor }));
    const second = await directory.written(n1, "b", "2");
    expect(second.actor).not.toBe(first.actor);
  });
});

describe("a generation", () => {
  it("that was dropped leaves no file, and nothing of it comes back", async () => {
    const directory = await BookWorld.opened();
    await directory.held(n1, "a", version("a", 1));
    expect(directory.files()).toContain("hint-00000001.for-n1");
    await dropAll(directory);
    expect(directory.files()).toEqual([]);
    expect(await directory.values("a")).toBe("absent");
    await directory.restart();
    expect(await directory.values("a")).toBe("absent");
    expect(directory.lost).toEqual([]);
  });

  it("that was sealed is read until it is dropped, beside the next one", async () => {
    const directory = await BookWorld.opened();
    await directory.held(n1, "a", version("a", 1));
    const [sealed] = directory.book.generationsFor(n1);
    if (sealed === undefined) throw new Error("nothing is held");
    await directory.until(directory.book.seal(sealed));
    await directory.held(n1, "a", version("a", 1, other));
    expect(await directory.values("a")).toEqual(["a1", "b1"]);
    await directory.restart();
    expect(await directory.values("a")).toEqual(["a1", "b1"]);
    expect(directory.book.generationsFor(n1)).toHaveLength(2);
    await directory.held(n1, "c", version("c", 1));
    expect(directory.book.generationsFor(n1)).toHaveLength(2);
  });

  it("that was not finished is removed at the next start", async () => {
    const directory = await BookWorld.opened();
    await directory.held(n1, "a", version("a", 1));
    directory.crash("kill");
    const files = new Map(directory.disk.image());
    files.delete("hint-00000001.for-n1");
    directory.disk.crash("kill");
    directory.disk.restore(files);
    directory.disk = directory.disk.reopen();
    await directory.open();
    expect(directory.files()).toEqual([]);
    expect(await directory.values("a")).toBe("absent");
  });
});

describe("on a full disk", () => {
  const kilobyte = 1024;
  const big = { value: "v".repeat(10 * kilobyte) };

  it("hints are refused, and those that are held stay and can be delivered", async () => {
    const directory = new BookWorld(1, 8192 * kilobyte, 512 * kilobyte);
    await directory.open();
    let taken = 0;
    let outcome = await directory.held(n1, "key-0", version("key-0", 1, big));
    while (outcome.ok) {
      taken += 1;
      const name = `key-${taken}`;
      outcome = await directory.held(n1, name, version(name, 1, big));
    }
    expect(outcome).toEqual({ ok: false, code: "disk-full" });
    expect(taken).toBeGreaterThan(20);
    expect(await directory.held(n2, "key-0", version("key-0", 1))).toEqual(outcome);
    expect(directory.fatal).toBeUndefined();
    for (let key = 0; key < taken; key += 1) {
      expect(await directory.values(`key-${key}`)).toEqual([big.value]);
    }
    await dropAll(directory);
    expect(directory.files()).toEqual([]);
    expect(await directory.held(n2, "key-0", version("key-0", 1))).toEqual(ok);
  });

  it("hints take the node's reserve, and so does what is left by an earlier process", async () => {
    const directory = new BookWorld(1, 8192 * kilobyte, 64 * kilobyte);
    await directory.open();
    directory.disk.capacityBytes = 8;
    let lent = 0;
    directory.borrowReserve = () => {
      lent += 1;
      directory.disk.capacityBytes = 1024 * kilobyte;
      return Promise.resolve(true);
    };
    expect(await directory.held(n1, "a", version("a", 1))).toEqual(ok);
    expect(lent).toBe(1);
    directory.crash("kill");
    directory.disk.capacityBytes = 8;
    await directory.open();
    expect(await directory.values("a")).toEqual(["a1"]);
    expect(lent).toBe(2);
  });
});

it("refuses hints once it is stopping, and finishes those that wait for their files", async () => {
  const directory = await BookWorld.opened();
  const holding = directory.hold(n1, "a", version("a", 1));
  const stopped = directory.book.stop();
  const late = directory.hold(n1, "b", version("b", 1));
  expect(await directory.until(late)).toEqual({ ok: false, code: "shutting-down" });
  expect(await directory.until(holding)).toEqual({ ok: false, code: "shutting-down" });
  await directory.until(stopped);
  expect(directory.fatal).toBeUndefined();
});

async function dropAll(directory: BookWorld): Promise<void> {
  const { book } = directory;
  for (const target of book.targets()) {
    for (const generation of book.generationsFor(target)) {
      await directory.until(book.seal(generation));
      await directory.until(book.drop(generation));
    }
  }
}
