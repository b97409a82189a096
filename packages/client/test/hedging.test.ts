import { expect, it } from "vitest";
import { follow, inTurns, simulate, type Simulation } from "./simulated-client.ts";

async function readMany({ clock, coterie }: Simulation, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    follow(clock, coterie.get(`k${at % 50}`));
    await clock.advance(20);
  }
}

it("asks a second node when the first is slower than reads usually are", async () => {
  const simulation = simulate();
  const { clock, cluster, coterie } = simulation;
  await readMany(simulation, 100);
  cluster.delay(800, "n2");
  const gets = await inTurns(clock, 9, () => coterie.get("slow"));
  await clock.advance(200);
  expect(gets.every(({ outcome }) => outcome.value !== undefined)).toBe(true);
  const { hedges, hedgesWon, failed } = coterie.statistics;
  expect(hedges).toBe(3);
  expect(hedgesWon).toBe(3);
  expect(failed).toBe(0);
});

it("never hedges more than its share of reads, however slow everything is", async () => {
  const simulation = simulate();
  const { cluster, coterie } = simulation;
  await readMany(simulation, 200);
  const before = coterie.statistics.hedges;
  for (const node of cluster.nodes) cluster.delay(10, node);
  cluster.delay(400, "n1");
  await readMany(simulation, 600);
  const { hedges } = coterie.statistics;
  // A burst of 10, and one in 20.
  expect(hedges - before).toBeLessThanOrEqual(10 + 600 / 20 + 1);
  expect(hedges - before).toBeGreaterThan(10);
});

it("does not lower its own trigger: under a steady load hedges do not grow", async () => {
  const simulation = simulate();
  const { cluster, coterie } = simulation;
  for (const node of cluster.nodes) cluster.delay(5, node);
  await readMany(simulation, 500);
  const early = coterie.statistics.hedges;
  await readMany(simulation, 500);
  const late = coterie.statistics.hedges - early;
  expect(late).toBeLessThanOrEqual(500 / 20 + 1);
});

it("is off when asked to be, and for writes", async () => {
  const { clock, cluster, coterie } = simulate();
  cluster.delay(300);
  follow(clock, coterie.get("k", { hedge: false }));
  follow(clock, coterie.put("k", "v"));
  await clock.advance(400);
  expect(coterie.statistics.hedges).toBe(0);
});
