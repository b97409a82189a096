import { describe, expect, it } from "vitest";
import { PeerLoad } from "../../src/load/peer-load.ts";

/** A peer that answered `count` reads, one after the other, in `ms` each. */
function answering(ms: number, count = 200): PeerLoad {
  const load = new PeerLoad(25);
  for (let read = 0; read < count; read += 1) {
    load.began(read * ms);
    load.answered(read * ms, (read + 1) * ms, false);
  }
  return load;
}

describe("cost", () => {
  it("is unknown at first, and then grows with latency and outstanding reads", () => {
    expect(new PeerLoad(25).costMs).toBe(0);
    const load = answering(2);
    expect(load.costMs).toBeCloseTo(2);
    load.began(400);
    expect(load.costMs).toBeCloseTo(4);
    load.refused();
    expect(load.costMs).toBeCloseTo(2);
  });

  it("rises when reads time out, by what they waited", () => {
    const load = answering(2);
    load.began(400);
    load.timedOut(400, 1400, false);
    expect(load.costMs).toBeGreaterThan(100);
  });

  it("learns nothing from a read that had no time to be answered", () => {
    const load = answering(2);
    const { costMs, p95Ms } = load;
    load.began(400);
    load.timedOut(400, 401, false);
    expect(load).toMatchObject({ costMs, p95Ms });
  });

  it("comes down within two seconds of a few reads after a recovery", () => {
    const load = answering(100);
    let now = 20_000;
    while (load.costMs > 5) {
      now += 200;
      load.began(now);
      load.answered(now, now + 1, false);
      expect(now).toBeLessThan(22_000);
    }
  });
});

describe("silence", () => {
  it("begins with the first read that waits, and ends with any answer", () => {
    const load = answering(2, 2000);
    expect(load.isSilent(10_000, 25)).toBe(false);
    load.began(10_000);
    load.began(10_020);
    expect(load.isSilent(10_024, 25)).toBe(false);
    expect(load.isSilent(10_030, 25)).toBe(true);
    load.answered(10_020, 10_031, true);
    expect(load.isSilent(10_050, 25)).toBe(false);
    expect(load.isSilent(10_060, 25)).toBe(true);
    load.timedOut(10_000, 11_000, false);
    expect(load.isSilent(11_000, 25)).toBe(false);
  });

  it("is no silence of a peer whose answers always take that long", () => {
    const load = answering(60);
    load.began(20_000);
    expect(load.isSilent(20_100, 25)).toBe(false);
    expect(load.isSilent(20_300, 25)).toBe(true);
  });
});
