import { describe, expect, it } from "vitest";
import type { ReadOutcome, UpdateOutcome } from "../src/index.ts";
import { StoreWorld, placed, versionOf } from "./store-world.ts";

async function opened(seed: number): Promise<StoreWorld> {
  const directory = new StoreWorld(seed);
  await directory.open();
  await directory.pass(50);
  await directory.updated("before", 1);
  return directory;
}

describe.each([
  ["sync", "io"],
  ["sync", "full"],
  ["write", "io"],
] as const)("a failed %s (%s) of the log", (operation, error) => {
  it("is fatal, and nothing is acknowledged or retried after it", async () => {
    const directory = await opened(1);
    const name = directory.files().find((each) => each.startsWith("log-")) ?? "";
    directory.disk.inject({ operation, name, error, times: 1 });
    const outcomes: UpdateOutcome[] = [];
    void directory.update("lost", 1).then((outcome) => outcomes.push(outcome));
    const reads: ReadOutcome[] = [];
    directory.store.read(placed("lost"), (outcome) => reads.push(outcome));
    await directory.pass(5000);
    expect(directory.fatal).toBeDefined();
    expect(outcomes).toEqual([]);
    expect(reads).toEqual([]);
    void directory.update("later", 1).then((outcome) => outcomes.push(outcome));
    directory.store.read(placed("before"), (outcome) => reads.push(outcome));
    const { groups, fsyncs } = directory.store.statistics();
    await directory.pass(5000);
    expect(outcomes).toEqual([{ ok: false, code: "failed" }]);
    expect(reads).toEqual([{ ok: false, code: "failed" }]);
    expect(directory.store.statistics()).toMatchObject({ groups, fsyncs });
  });

  it("does not hang a stop, and the next start has all that was acknowledged", async () => {
    const directory = await opened(2);
    const name = directory.files().find((each) => each.startsWith("log-")) ?? "";
    directory.disk.inject({ operation, name, error, times: 1 });
    const { actor } = directory.store;
    void directory.update("lost", 1);
    const stopped = directory.store.stop();
    await directory.world.runUntilSettled(stopped);
    directory.crash("power");
    const report = await directory.open();
    expect(report.wasCleanStop).toBe(false);
    expect(directory.store.actor).not.toBe(actor);
    expect(versionOf(await directory.read("before"))).toBe(1);
    expect([0, 1]).toContain(versionOf(await directory.read("lost")));
  });
});

it("a read that fails is damage, not the end", async () => {
  const directory = await opened(3);
  for (let other = 0; other < 8; other += 1) await directory.updated(`other-${other}`, 1);
  const { file } = directory.placeOf("before");
  directory.disk.inject({ operation: "read", name: file, error: "io", times: 1 });
  expect(await directory.read("before")).toEqual({ state: "unknown" });
  expect(directory.fatal).toBeUndefined();
  expect(directory.store.statistics().damagedRecords).toBe(1);
  expect(directory.events.map(({ kind }) => kind)).toContain("damage");
});
