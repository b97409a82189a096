import { describe, expect, it } from "vitest";
import { Pressure } from "../../src/load/pressure.ts";

const settings = { requestsMax: 8192, bytesMax: 1000, delayMsTarget: 100 };

/** Lets `count` requests in. */
function filled(count: number): Pressure {
  const pressure = new Pressure(settings);
  for (let index = 0; index < count; index += 1) pressure.begin(0);
  return pressure;
}

/** Ends an interval in which everything waited for `ms` at least. */
function interval(pressure: Pressure, ms: number, nowMs: number): void {
  for (let sample = 0; sample < 4; sample += 1) pressure.noteDelay(ms + sample, nowMs);
}

describe("admission", () => {
  it("refuses requests above the most that may be in flight, and takes more when one ends", () => {
    const pressure = filled(8192);
    expect(pressure.begin(0)).toBe(false);
    pressure.end(0);
    expect(pressure.begin(0)).toBe(true);
  });

  it("refuses bytes above their limit, but lets a single request hold more than that", () => {
    const pressure = new Pressure(settings);
    expect(pressure.begin(1001)).toBe(false);
    expect(pressure.begin(600)).toBe(true);
    expect(pressure.begin(401)).toBe(false);
    expect(pressure.hold(401)).toBe(false);
    pressure.end(600);
    expect(pressure.hold(5000)).toBe(true);
    pressure.give(5000);
    expect(pressure.bytes).toBe(0);
  });

  it("shrinks the window to what waits for just the target, when all waited longer", () => {
    const pressure = filled(4000);
    interval(pressure, 200, 0);
    expect(pressure.window).toBe(2000);
    expect(pressure.begin(0)).toBe(false);
  });

  it("does not mind a burst: the quickest of an interval counts", () => {
    const pressure = filled(4000);
    for (const ms of [900, 800, 20, 700]) pressure.noteDelay(ms, 0);
    expect(pressure.window).toBe(8192);
  });

  it("lets a floor of requests in, whatever they wait", () => {
    const pressure = filled(1500);
    interval(pressure, 5000, 0);
    expect(pressure.window).toBe(1024);
  });

  it("never has a floor above the most that may be in flight", () => {
    const pressure = new Pressure({ ...settings, requestsMax: 8 });
    for (let index = 0; index < 8; index += 1) expect(pressure.begin(0)).toBe(true);
    interval(pressure, 5000, 0);
    expect(pressure.window).toBe(8);
    expect(pressure.begin(0)).toBe(false);
  });

  it("opens again within two seconds after the queue is gone", () => {
    const pressure = filled(4000);
    interval(pressure, 2000, 0);
    expect(pressure.window).toBe(1024);
    let now = 0;
    while (pressure.window < settings.requestsMax) {
      now += 100;
      interval(pressure, 1, now);
      expect(now).toBeLessThan(2000);
    }
  });

  it("judges an interval only by enough of what it saw", () => {
    const pressure = filled(4000);
    for (let sample = 0; sample < 3; sample += 1) pressure.noteDelay(900, 0);
    for (let sample = 0; sample < 15; sample += 1) pressure.noteTook(90_000, 0);
    expect(pressure.window).toBe(8192);
    pressure.noteTook(90_000, 0);
    expect(pressure.window).toBe(1024);
  });

  it("does not take a slow disk for a queue, until callers would give up", () => {
    const pressure = filled(4000);
    for (let sample = 0; sample < 16; sample += 1) pressure.noteTook(1900, 0);
    expect(pressure.window).toBe(8192);
    for (let sample = 0; sample < 16; sample += 1) pressure.noteTook(4000, 100);
    expect(pressure.window).toBe(2000);
  });
});

describe("background work", () => {
  it("rests as it likes at an idle node, and at most eight times as long at a busy one", () => {
    const pressure = new Pressure(settings);
    expect(pressure.restMs(3)).toBe(3);
    pressure.noteUtilization(1);
    expect(pressure.level).toBe(1);
    expect(pressure.restMs(3)).toBe(24);
    pressure.noteUtilization(0.4);
    expect(pressure.restMs(3)).toBe(3);
  });

  it.each([
    ["requests in flight", filled(4096), 0.5],
    ["their bytes", withBytes(250), 0.25],
    ["delay", delayed(), 0.75],
  ])("yields to %s", (_, pressure, level) => {
    expect(pressure.level).toBeCloseTo(level);
  });

  it("does not go on yielding to requests that have ended", () => {
    const pressure = delayed();
    pressure.end(0);
    expect(pressure.level).toBe(0);
  });
});

function withBytes(bytes: number): Pressure {
  const pressure = new Pressure(settings);
  pressure.begin(bytes);
  return pressure;
}

function delayed(): Pressure {
  const pressure = filled(1);
  interval(pressure, 75, 0);
  return pressure;
}
