import { expect, it } from "vitest";
import { follow, inTurns, simulate } from "./simulated-client.ts";

it("fails what is in flight on a dead connection at once, when retries are off", async () => {
  const { clock, cluster, coterie } = simulate({ retries: false });
  await clock.advance(10);
  cluster.delay(500);
  const puts = Array.from({ length: 60 }, (_, at) => follow(clock, coterie.put(`k${at}`, "v")));
  await clock.advance(100);
  cluster.kill("n2");
  await clock.settle();
  const failed = puts.filter(({ isSettled }) => isSettled);
  expect(failed.length).toBeGreaterThan(5);
  expect(failed.length).toBeLessThan(60);
  for (const { error } of failed) {
    expect(error).toMatchObject({ code: "connection-lost", outcome: "unknown" });
  }
  await clock.advance(1000);
  expect(puts.filter(({ error }) => error !== undefined)).toHaveLength(failed.length);
});

it("loses none of hundreds when a node dies, with retries on", async () => {
  const { clock, cluster, coterie } = simulate({ retries: { burst: 1, ratio: 0 } });
  const warm = follow(clock, coterie.get("warm"));
  await clock.advance(10);
  expect(warm.isSettled).toBe(true);
  cluster.delay(50);
  const puts = Array.from({ length: 900 }, (_, at) => follow(clock, coterie.put(`k${at}`, "v")));
  await clock.advance(25);
  cluster.kill("n3");
  await clock.advance(1000);
  expect(puts.filter(({ value }) => value !== undefined)).toHaveLength(900);
  expect(coterie.statistics.failovers).toBeGreaterThan(100);
});

it("opens a broken connection again, and goes back to the node", async () => {
  const { clock, cluster, coterie } = simulate();
  follow(clock, coterie.get("k"));
  await clock.advance(10);
  cluster.kill("n1");
  await inTurns(clock, 30, (at) => coterie.get(`k${at}`));
  await clock.advance(100);
  cluster.revive("n1");
  const before = cluster.requests("n1");
  await clock.advance(3000);
  await inTurns(clock, 30, (at) => coterie.get(`k${at}`));
  await clock.advance(100);
  expect(cluster.requests("n1")).toBeGreaterThan(before);
});

it("cuts a node that stands still, after avoiding it", async () => {
  const { clock, cluster, coterie } = simulate();
  const warm = Array.from({ length: 30 }, (_, at) => follow(clock, coterie.get(`k${at}`)));
  await clock.advance(20);
  expect(warm.every(({ value }) => value !== undefined)).toBe(true);
  cluster.pause("n2");
  for (let round = 0; round < 50; round += 1) {
    const puts = Array.from({ length: 6 }, (_, at) => follow(clock, coterie.put(`k${at}`, "v")));
    await clock.advance(100);
    if (round < 20) continue;
    for (const { value } of puts) expect(value).toBeDefined();
  }
  expect(coterie.statistics.connectionsBroken).toBeGreaterThan(0);
  expect(coterie.statistics.failed).toBe(0);
});

it("ends connections that nobody uses", async () => {
  const { clock, coterie } = simulate();
  follow(clock, coterie.get("k"));
  await clock.advance(90_000);
  // The minute is over: no connection has an alarm of its own any more.
  expect(clock.alarms).toBe(0);
});

it("refuses early what is over the bounds of a node", async () => {
  const { clock, cluster, coterie } = simulate({ operationsMax: 10, clusterNodes: 1 });
  cluster.delay(100);
  const gets = Array.from({ length: 25 }, (_, at) => follow(clock, coterie.get(`k${at}`)));
  await clock.settle();
  const refused = gets.filter(({ error }) => error !== undefined);
  expect(refused).toHaveLength(15);
  expect(refused[0]?.error).toMatchObject({ code: "overloaded", outcome: "refused" });
  await clock.advance(200);
  expect(gets.filter(({ value }) => value !== undefined)).toHaveLength(10);
});

it("bounds the bytes in flight, but lets one large value pass", async () => {
  const { clock, cluster, coterie } = simulate({ bytesMax: 10_000, clusterNodes: 1 });
  cluster.delay(100);
  const large = follow(clock, coterie.put("large", new Uint8Array(50_000)));
  const next = follow(clock, coterie.put("next", new Uint8Array(5000)));
  await clock.advance(1000);
  expect(large.value).toBeDefined();
  expect(next.error).toMatchObject({ code: "overloaded" });
});
