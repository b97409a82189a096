import { expect, it } from "vitest";
import { type Outcome, type Simulation, follow, simulate } from "./simulated-client.ts";

const keys = Array.from({ length: 30 }, (_, at) => `k${at}`);

function putAll({ clock, coterie }: Simulation): readonly Outcome<unknown>[] {
  return keys.map((key) => follow(clock, coterie.put(key, "v")));
}

/** A client that has written to every node, each of which took so long. */
async function acquainted(delayMs: number): Promise<Simulation> {
  const simulation = simulate();
  simulation.cluster.delay(delayMs);
  for (let round = 0; round < 3; round += 1) {
    const puts = putAll(simulation);
    await simulation.clock.advance(1000);
    expect(puts.every(({ value }) => value !== undefined)).toBe(true);
  }
  return simulation;
}

it("a node that falls silent is left after a tenth of a second, and costs no budget", async () => {
  const simulation = await acquainted(2);
  const { clock, cluster, coterie } = simulation;
  cluster.pause("n1");
  const beganMs = clock.monotonicMs();
  const puts = putAll(simulation);
  await clock.advance(150);
  for (const { value, atMs = Infinity } of puts) {
    expect(value).toBeDefined();
    expect(atMs - beganMs).toBeLessThanOrEqual(120);
  }
  const { failovers, retries } = coterie.statistics;
  expect([failovers > 0, retries]).toEqual([true, 0]);
  // From now on others are asked at once.
  const laterMs = clock.monotonicMs();
  const later = putAll(simulation);
  await clock.advance(20);
  expect(later.every(({ atMs = Infinity }) => atMs - laterMs <= 5)).toBe(true);
});

it("a node that always takes long is not taken for silent", async () => {
  const simulation = await acquainted(90);
  const { clock, coterie } = simulation;
  const { attempts, failovers } = coterie.statistics;
  putAll(simulation);
  await clock.advance(300);
  expect(coterie.statistics).toMatchObject({ attempts: attempts + keys.length, failovers });
});

it("a client that stood still itself reads its answers before it doubts anybody", async () => {
  const simulation = await acquainted(0);
  const { clock, cluster, coterie } = simulation;
  const { attempts } = coterie.statistics;
  cluster.pause("n1");
  const puts = putAll(simulation);
  await clock.advance(50);
  expect(puts.some(({ isSettled }) => !isSettled)).toBe(true);
  cluster.resume("n1");
  clock.stall(100);
  await clock.advance(20);
  expect(puts.every(({ value }) => value !== undefined)).toBe(true);
  expect(coterie.statistics.attempts).toBe(attempts + keys.length);
});
