import { describe, expect, it } from "vitest";
import { follow, simulate } from "./simulated-client.ts";

describe("a retry", () => {
  it.each(["overloaded", "quorum-not-met", "timeout"] as const)(
    "follows a failure that may pass: %s",
    async (code) => {
      const { clock, cluster, coterie } = simulate();
      cluster.fail({ code });
      const put = follow(clock, coterie.put("k", "v"));
      await clock.advance(500);
      expect(put.value).toMatchObject({ siblings: 1 });
      expect(coterie.statistics.retries).toBe(1);
    },
  );

  it.each(["not-ready", "shutting-down"] as const)(
    "is not paid where another node is asked at once, because one comes or goes: %s",
    async (code) => {
      const { clock, cluster, coterie } = simulate();
      cluster.fail({ code });
      const put = follow(clock, coterie.put("k", "v"));
      await clock.advance(20);
      expect(put.value).toMatchObject({ siblings: 1 });
      expect(coterie.statistics).toMatchObject({ retries: 0, failovers: 1, attempts: 2 });
      // The same call is paid for from then on.
      cluster.fail({ code, times: 2 });
      const again = follow(clock, coterie.put("k", "v"));
      await clock.advance(500);
      expect(again.value).toMatchObject({ siblings: 2 });
      expect(coterie.statistics).toMatchObject({ retries: 1, failovers: 2 });
    },
  );

  it.each(["bad-context", "no-such-bucket", "too-large", "too-many-siblings", "internal"] as const)(
    "does not follow one that will not: %s",
    async (code) => {
      const { clock, cluster, coterie } = simulate();
      cluster.fail({ code });
      const put = follow(clock, coterie.put("k", "v"));
      await clock.advance(500);
      expect(put.error).toMatchObject({ code });
      expect(coterie.statistics).toMatchObject({ retries: 0, attempts: 1 });
    },
  );

  it("is the same write: one that was carried out is not repeated", async () => {
    const { clock, cluster, coterie } = simulate();
    cluster.fail({ code: "timeout", applied: true, times: 3 });
    const put = follow(clock, coterie.put("k", "v"));
    await clock.advance(2000);
    expect(put.value).toMatchObject({ siblings: 1 });
    const read = follow(clock, coterie.get("k"));
    await clock.advance(100);
    expect(read.value).toMatchObject({ kind: "value" });
  });

  it("asks another node than the one that failed", async () => {
    const { clock, cluster, coterie } = simulate();
    cluster.fail({ code: "shutting-down", times: 100, node: "n1" });
    for (let at = 0; at < 30; at += 1) {
      const put = follow(clock, coterie.put(`k${at}`, "v"));
      await clock.advance(100);
      expect(put.error).toBeUndefined();
    }
    expect(cluster.requests("n1")).toBeLessThan(5);
  });

  it("never says that a write was refused when an earlier attempt may have happened", async () => {
    const { clock, cluster, coterie } = simulate();
    cluster.fail({ code: "timeout", applied: true });
    cluster.fail({ code: "too-large", times: 10 });
    const put = follow(clock, coterie.put("k", "v"));
    await clock.advance(500);
    expect(put.error).toMatchObject({ code: "too-large", outcome: "unknown" });
  });

  it("is not made when it is off", async () => {
    const { clock, cluster, coterie } = simulate();
    cluster.fail({ code: "overloaded" });
    const put = follow(clock, coterie.put("k", "v", { retries: false }));
    await clock.advance(500);
    expect(put.error).toMatchObject({ code: "overloaded", retryable: true });
  });
});

describe("the retry budget", () => {
  it("bounds what a failing cluster is sent, to the burst and the ratio", async () => {
    const { clock, cluster, coterie } = simulate({ retries: { ratio: 0.1, burst: 20 } });
    cluster.fail({ code: "overloaded", times: Number.POSITIVE_INFINITY });
    for (let round = 0; round < 100; round += 1) {
      for (let at = 0; at < 10; at += 1) follow(clock, coterie.put(`k${at}`, "v"));
      await clock.advance(20);
    }
    await clock.advance(5000);
    const { attempts, retries, retriesDenied } = coterie.statistics;
    expect(retries).toBeGreaterThanOrEqual(100);
    expect(retries).toBeLessThanOrEqual(20 + 100);
    expect(attempts).toBe(1000 + retries);
    expect(retriesDenied).toBeGreaterThan(800);
  });
});
