import { describe, expect, it } from "vitest";
import { StoreWorld, storeKinds } from "./store-world.ts";

const many = 2 ** 20 + 5000;

describe.each(storeKinds)("the actor (%s)", (kind) => {
  async function opened(seed: number): Promise<StoreWorld> {
    const directory = new StoreWorld(seed, { kind });
    await directory.open();
    return directory;
  }

  it("is new on an empty directory", async () => {
    const actors = [await opened(1), await opened(2)].map(({ store }) => store.actor);
    expect(new Set(actors).size).toBe(2);
    expect(actors[0]).toMatch(/^[0-9a-f]{16}$/u);
  });

  it("goes on from the exact counter after a clean stop", async () => {
    const directory = await opened(3);
    const { actor } = directory.store;
    directory.store.mint();
    expect(directory.store.mint()).toEqual({ actor, counter: 2 });
    const report = await directory.restart();
    expect(report.wasCleanStop).toBe(true);
    expect(directory.store.mint()).toEqual({ actor, counter: 3 });
  });

  it.each(["power", "kill"] as const)("is new after a crash (%s)", async (how) => {
    const directory = await opened(4);
    const { actor } = directory.store;
    await directory.updated("key", directory.store.mint().counter);
    directory.crash(how);
    expect((await directory.open()).wasCleanStop).toBe(false);
    expect(directory.store.actor).not.toBe(actor);
    expect(directory.store.mint().counter).toBe(1);
  });

  it("is new after a crash that followed a start after a clean stop", async () => {
    const directory = await opened(5);
    directory.store.mint();
    await directory.restart();
    const { actor } = directory.store;
    directory.crash("power");
    await directory.open();
    expect(directory.store.actor).not.toBe(actor);
  });

  it("is new when the mark of the clean stop was torn off", async () => {
    const directory = await opened(6);
    directory.store.mint();
    await directory.updated("key", 1);
    const { actor } = directory.store;
    await directory.stop();
    directory.crashAndEdit((files) => {
      const name = [...files.keys()].find((each) => each.includes("log-")) ?? "";
      const bytes = files.get(name) ?? new Uint8Array(0);
      const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
      bytes.fill(0, used - 6, used);
    }, "kill");
    expect((await directory.open()).wasCleanStop).toBe(false);
    expect(directory.store.actor).not.toBe(actor);
  });

  it("is new when damage was found, before anything more is minted", async () => {
    const directory = await opened(7);
    directory.store.mint();
    await directory.updated("key", 1);
    await directory.restart();
    const { actor } = directory.store;
    directory.rot("key");
    expect(await directory.read("key")).toEqual({ state: "unknown" });
    expect(directory.store.actor).not.toBe(actor);
    const reason = "a record was damaged";
    const events = directory.events.filter(({ kind }) => kind === "new-actor");
    expect(events).toEqual([{ kind: "new-actor", actor: directory.store.actor, reason }]);
  });

  it("is new when a peer knows more of it than it does, as after a rollback", async () => {
    const directory = await opened(9);
    const { actor } = directory.store;
    await directory.stop();
    const backup = directory.disk.image();
    await directory.open();
    for (let dot = 0; dot < 10; dot += 1) directory.store.mint();
    await directory.stop();
    directory.crashAndEdit((files) => {
      files.clear();
      for (const [name, bytes] of backup) files.set(name, bytes);
    }, "kill");
    expect((await directory.open()).wasCleanStop).toBe(true);
    directory.store.observeOwnCounter(0);
    expect(directory.store.actor).toBe(actor);
    directory.store.observeOwnCounter(10);
    expect(directory.store.actor).not.toBe(actor);
  });

  it("extends its reservation long before it is used up, and durably", async () => {
    const directory = await opened(10);
    const { actor } = directory.store;
    for (let counter = 1; counter <= many; counter += 1) {
      directory.store.mint();
      if (counter % 100_000 === 0) await directory.pass(20);
    }
    expect(directory.store.actor).toBe(actor);
    await directory.restart();
    expect(directory.store.mint()).toEqual({ actor, counter: many + 1 });
  });

  it("mints nothing beyond what is durably reserved", async () => {
    const directory = await opened(11);
    const mintAll = (): void => {
      for (let counter = 1; counter <= many; counter += 1) directory.store.mint();
    };
    expect(mintAll).toThrow("a dot is minted within what is reserved");
  });
});

it("is new after a clean stop if the start finds damage", async () => {
  const directory = new StoreWorld(8);
  await directory.open();
  directory.store.mint();
  await directory.updated("key", 1);
  await directory.updated("other", 1);
  const { actor } = directory.store;
  await directory.stop();
  directory.crashAndEdit((files) => {
    for (const name of files.keys()) if (name.startsWith("checkpoint-")) files.delete(name);
  }, "kill");
  directory.rot("key");
  const report = await directory.open();
  expect(report.wasCleanStop).toBe(true);
  expect(directory.store.actor).not.toBe(actor);
});
