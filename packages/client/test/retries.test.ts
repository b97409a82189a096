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
    const { attempts, failed, retries, retriesDenied } = coterie.statistics;
    expect(failed).toBe(1000);
    expect(retries).toBeGreaterThanOrEqual(100);
    // Ten a second are always made: each operation has two seconds, the last one began at two.
    expect(retries).toBeLessThanOrEqual(20 + 100 + 4 * 10);
    expect(attempts).toBe(1000 + retries);
    expect(retriesDenied).toBeGreaterThan(800);
  });

  it("fails none of a batch that has time left when the failure passes", async () => {
    const { clock, cluster, coterie } = simulate({ timeoutMs: 20_000 });
    // Everything in flight fails, and the first retries do.
    cluster.fail({ code: "quorum-not-met", times: 1200 });
    const keys = Array.from({ length: 2000 }, (_, at) => `k${at}`);
    const batch = coterie.batch(keys.map((key) => ({ kind: "get" as const, key })));
    const outcome = follow(clock, batch);
    await clock.advance(20_000);
    expect(outcome.value?.filter(({ ok }) => !ok)).toEqual([]);
    expect(coterie.statistics.retriesDenied).toBeGreaterThan(0);
  });

  it("is not waited for by more than a batch has in flight", async () => {
    const { clock, cluster, coterie } = simulate({ retries: { ratio: 0, burst: 1 } });
    cluster.fail({ code: "quorum-not-met", times: Number.POSITIVE_INFINITY });
    const puts = Array.from({ length: 1500 }, (_, at) => follow(clock, coterie.put(`k${at}`, "v")));
    await clock.advance(500);
    const failed = puts.filter(({ isSettled }) => isSettled);
    expect(failed.length).toBeGreaterThan(400);
    expect(failed.length).toBeLessThanOrEqual(1500 - 1024);
    await clock.advance(2000);
    for (const { error } of puts) expect(error).toMatchObject({ code: "quorum-not-met" });
  });
});
