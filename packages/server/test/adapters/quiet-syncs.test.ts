import { describe, expect, it } from "vitest";
import { type LoopTimes, QuietSyncs } from "../../src/adapters/quiet-syncs.ts";

/** An event loop that a test lets wait and work. */
class Loop {
  times: LoopTimes = { idle: 0, active: 0 };
  readonly syncs = new QuietSyncs(() => this.times);

  pass(idle: number, active: number): void {
    this.times = { idle: this.times.idle + idle, active: this.times.active + active };
  }

  /** Syncs that took `ms` each, by threads. */
  sync(count: number, ms: number): void {
    for (let at = 0; at < count; at += 1) this.syncs.took(ms, false);
  }
}

describe("a sync may hold up the event loop", () => {
  it("once the disk has shown that it is quick, and the loop that it waits", () => {
    const loop = new Loop();
    loop.pass(100, 10);
    expect(loop.syncs.mayBlock()).toBe(false);
    loop.sync(15, 0.1);
    expect(loop.syncs.mayBlock()).toBe(false);
    loop.sync(1, 0.1);
    expect(loop.syncs.mayBlock()).toBe(true);
  });

  it("no longer after one that was slow, until as many were quick again", () => {
    const loop = new Loop();
    loop.pass(100, 10);
    loop.sync(16, 0.1);
    expect(loop.syncs.mayBlock()).toBe(true);
    loop.syncs.took(3, true);
    expect(loop.syncs.mayBlock()).toBe(false);
    loop.sync(15, 0.1);
    expect(loop.syncs.mayBlock()).toBe(false);
    loop.sync(1, 0.1);
    expect(loop.syncs.mayBlock()).toBe(true);
  });

  it("not while the loop has other work", () => {
    const loop = new Loop();
    loop.sync(16, 0.1);
    loop.pass(10, 30);
    expect(loop.syncs.mayBlock()).toBe(false);
    loop.pass(30, 10);
    expect(loop.syncs.mayBlock()).toBe(true);
    loop.pass(5, 30);
    expect(loop.syncs.mayBlock()).toBe(false);
  });

  it("though the loop did nothing but sync", () => {
    const loop = new Loop();
    loop.sync(16, 0.1);
    loop.pass(100, 0);
    expect(loop.syncs.mayBlock()).toBe(true);
    for (let at = 0; at < 100; at += 1) loop.syncs.took(0.3, true);
    loop.pass(5, 35);
    expect(loop.syncs.mayBlock()).toBe(true);
  });
});
