import { setTimeout as sleep } from "node:timers/promises";
import { membershipSettings, utf8 } from "@coterie/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MeteredCluster, documentedMetrics } from "./metered-cluster.ts";
import { type Scrape, movedBetween } from "./scrape.ts";

const documented = [
  ...documentedMetrics("coterie_membership_"),
  ...documentedMetrics("coterie_circuit_"),
];
const membership = membershipSettings(100, 100);
const cluster = new MeteredCluster(2, () => ({ membership, nMax: 2 }));

/** Resolves when all of these have moved. */
async function moved(before: Scrape, names: readonly string[]): Promise<void> {
  for (let still = names; still.length > 0;) {
    const now = movedBetween(before, await cluster.scrape());
    still = still.filter((name) => !now.has(name));
    if (still.length > 0) await sleep(10);
  }
}

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

it(
  "every metric of membership and of circuits moves when what it counts happens",
  { timeout: 30_000 },
  async () => {
    const started = await cluster.scrape();
    const talking = [
      "coterie_membership_probes_total",
      "coterie_membership_messages_sent_total",
      "coterie_membership_messages_received_total",
    ];
    await moved(started, talking);

    const talked = await cluster.scrape();
    // Nothing passes between the two.
    for (const address of cluster.addresses) cluster.away.add(address);
    const accusing = [
      "coterie_membership_failed_probes_total",
      "coterie_membership_indirect_probes_total",
      "coterie_membership_suspicions_total",
      "coterie_membership_deaths_total",
      "coterie_membership_convergence_seconds",
      "coterie_membership_members",
      "coterie_membership_local_health",
      "coterie_circuit_open",
      "coterie_circuit_opened_total",
      "coterie_circuit_pings_total",
    ];
    await moved(talked, accusing);

    const silent = await cluster.scrape();
    await cluster.first.node.get({ bucket: "default", key: utf8("k") }, {});
    const refusing = ["coterie_circuit_refusals_total"];
    await moved(silent, refusing);

    const accused = await cluster.scrape();
    cluster.away.clear();
    const refuting = ["coterie_membership_refutations_total", "coterie_membership_members"];
    await moved(accused, refuting);

    const refuted = await cluster.scrape();
    for (const end = performance.now() + 400; performance.now() < end;);
    await moved(refuted, ["coterie_membership_stalls_total"]);

    const stalling = "coterie_membership_stalls_total";
    const all = [...talking, ...accusing, ...refusing, ...refuting, stalling];
    expect(documented.toSorted()).toEqual([...new Set(all)].toSorted());
  },
);
