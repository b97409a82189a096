import { expect, it } from "vitest";
import { type Begun, type Simulation, inTurns, simulate } from "./simulated-client.ts";

const keys = 30;

function putAll({ clock, coterie }: Simulation): Promise<readonly Begun<unknown>[]> {
  return inTurns(clock, keys, (at) => coterie.put(`k${at}`, "v"));
}

/** A client that has written to every node, each of which took so long. */
async function acquainted(delayMs: number): Promise<Simulation> {
  const simulation = simulate();
  simulation.cluster.delay(delayMs);
  for (let round = 0; round < 3; round += 1) {
    const puts = await putAll(simulation);
    await simulation.clock.advance(1000);
    expect(puts.every(({ outcome }) => outcome.value !== undefined)).toBe(true);
  }
  return simulation;
}

it("a node that falls silent is left after a tenth of a second, and costs no budget", async () => {
  const simulation = await acquainted(2);
  const { clock, cluster, coterie } = simulation;
  cluster.pause("n1");
  const puts = await putAll(simulation);
  await clock.advance(150);
  for (const { beganMs, outcome } of puts) {
    expect(outcome.value).toBeDefined();
    expect((outcome.atMs ?? Infinity) - beganMs).toBeLessThanOrEqual(120);
  }
  const { failovers, retries } = coterie.statistics;
  expect([failovers > 0, retries]).toEqual([true, 0]);
  // From now on others are asked at once.
  const later = await putAll(simulation);
  await clock.advance(20);
  for (const { beganMs, outcome } of later) {
    expect((outcome.atMs ?? Infinity) - beganMs).toBeLessThanOrEqual(5);
  }
});

it("a node that always takes long is not taken for silent", async () => {
  const simulation = await acquainted(90);
  const { clock, coterie } = simulation;
  const { attempts, failovers } = coterie.statistics;
  await putAll(simulation);
  await clock.advance(300);
  expect(coterie.statistics).toMatchObject({ attempts: attempts + keys, failovers });
});

it("a client that stood still itself reads its answers before it doubts anybody", async () => {
  const simulation = await acquainted(0);
  const { clock, cluster, coterie } = simulation;
  const { attempts } = coterie.statistics;
  cluster.pause("n1");
  const puts = await putAll(simulation);
  await clock.advance(20);
  expect(puts.some(({ outcome }) => !outcome.isSettled)).toBe(true);
  cluster.resume("n1");
  clock.stall(100);
  await clock.advance(20);
  expect(puts.every(({ outcome }) => outcome.value !== undefined)).toBe(true);
  expect(coterie.statistics.attempts).toBe(attempts + keys);
});
