import { describe, expect, it } from "vitest";
import { SenderClock } from "../../src/adapters/peer-network/sender-clock.ts";

describe("the clock of a stream's sender", () => {
  it("is told from the message that travelled least", () => {
    const clock = new SenderClock();
    // The sender's clock is 1000 ms behind ours; messages take 7, 2 and 40 ms.
    clock.learn(0, 1007);
    expect(clock.toLocal(500)).toBe(1507);
    clock.learn(10, 1012);
    clock.learn(20, 1060);
    expect(clock.toLocal(500)).toBeCloseTo(1502, 0);
  });

  it("does not take what was long unread for fresh", () => {
    const clock = new SenderClock();
    clock.learn(0, 1002);
    // Sent at 100 with a deadline at 300, and read when the sender's clock shows 5000.
    clock.learn(100, 6002);
    expect(clock.toLocal(300)).toBeLessThan(6002);
  });

  it("follows a clock that loses time", () => {
    const clock = new SenderClock();
    clock.learn(0, 1002);
    clock.learn(100_000, 100_992);
    expect(clock.toLocal(100_000)).toBe(100_992);
  });

  it("follows a clock that gains time, or every message would look late in the end", () => {
    const clock = new SenderClock();
    const gain = 1.0005;
    for (let sent = 0; sent < 86_400_000; sent += 5000) clock.learn(sent, sent * gain + 2);
    const now = 86_400_000 * gain;
    expect(clock.toLocal(86_400_000 + 100)).toBeGreaterThan(now + 90);
    expect(clock.toLocal(86_400_000 + 100)).toBeLessThan(now + 110);
  });
});
