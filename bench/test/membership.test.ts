import { expect, it } from "vitest";
import { calm, deaths, idleTraffic, pauses } from "../src/membership/experiments.ts";

// The figures of docs/measurements, in small: all on virtual time, from a seed.

it.each([
  [30, 0, 2500],
  [100, 0, 2500],
  [100, 10, 4000],
])(
  "of %i members, at a loss of %i in 1 000, all know of a death within %i ms",
  (members, lossPerMille, spreadMsMax) => {
    const found = deaths({ members, lossPerMille, trials: 4, seed: 11 });
    expect(found).toHaveLength(4);
    for (const { suspectedMs, confirmedMs, spreadMs } of found) {
      expect(suspectedMs).toBeGreaterThan(700);
      expect(suspectedMs).toBeLessThanOrEqual(3000);
      expect(confirmedMs).toBeLessThan(20_000);
      expect(spreadMs).toBeLessThanOrEqual(spreadMsMax);
    }
  },
);

it("an idle member sends less than a kibibyte per second, all headers included", () => {
  const { messagesPerSecond, packetBytesPerSecond } = idleTraffic(100, 20, 4);
  expect(messagesPerSecond).toBeGreaterThan(4);
  expect(packetBytesPerSecond).toBeLessThan(1024);
});

it("suspects who stands still for 4 s, declares nobody dead, and takes it back soon", () => {
  for (const found of pauses({ members: 50, lossPerMille: 0, trials: 5, seed: 3 })) {
    expect(found.suspectedMs).toBeGreaterThan(700);
    expect(found.suspectedMs).toBeLessThanOrEqual(3000);
    expect(found.clearedMs).toBeLessThan(2500);
    expect(found.isDeclaredDead).toBe(false);
  }
});

it.each([
  [100, 0, 0],
  [100, 0, 5],
  [40, 10, 5],
])(
  "of %i members nobody is falsely declared dead, at a loss of %i in 1 000, %i of 100 pausing",
  (members, lossPerMille, pausingPercent) => {
    const found = calm({ members, seed: 5, lossPerMille, hours: 0.05, pausingPercent });
    expect(found).toMatchObject({ falseDeaths: 0, disagreeing: 0 });
    expect(found.pauses).toBe(((members * pausingPercent) / 100) * 18);
    if (pausingPercent === 0) expect(found.suspicions).toBe(0);
  },
);
