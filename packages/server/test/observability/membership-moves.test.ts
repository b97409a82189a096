import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import { membershipSettings, utf8 } from "@coterie/core";
import type { Network } from "@coterie/ports";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type MeteredNode, meteredNode } from "./metered-node.ts";
import { type Scrape, movedBetween, parseScrape } from "./scrape.ts";

const documented = [
  ...readFileSync(
    new URL("../../../../docs/operations/metrics.md", import.meta.url),
    "utf8",
  ).matchAll(/^\| `(coterie_(?:membership|circuit)_\w+)` \|/gmu),
].map(([, name = ""]) => name);

const addresses = ["127.0.0.1:1", "127.0.0.1:2"] as const;
const nodes = new Map<string, MeteredNode>();
const key = { bucket: "default", key: utf8("k") };
/** While it is cut, nothing passes between the two. */
let isCut = false;

/** Two nodes in one process: what is asked of one is asked in the next turn. */
const network: Network<PeerRequest, PeerResponse> = {
  call(to, request, deadline, settle) {
    const target = nodes.get(to);
    if (isCut || target === undefined) {
      setImmediate(() => settle({ ok: false, reason: "refused" }));
      return;
    }
    setImmediate(() => {
      target.node.receive(request, deadline, (response) => settle({ ok: true, response }));
    });
  },
  isReachable: () => !isCut,
};

async function scrape(): Promise<Scrape> {
  const first = nodes.get(addresses[0]) as MeteredNode;
  return parseScrape((await first.metrics.render()).text);
}

/** Resolves when all of these have moved. */
async function moved(before: Scrape, names: readonly string[]): Promise<void> {
  for (let still = names; still.length > 0;) {
    const now = movedBetween(before, await scrape());
    still = still.filter((name) => !now.has(name));
    if (still.length > 0) await sleep(10);
  }
}

beforeAll(async () => {
  addresses.forEach((address, at) => {
    const member = { id: `n${at + 1}`, address };
    const membership = membershipSettings(100, 100);
    nodes.set(address, meteredNode({ member, bootstrap: addresses, network, membership, nMax: 2 }));
  });
  const outcomes = await Promise.all([...nodes.values()].map(({ node }) => node.start()));
  if (!outcomes.every(({ ok }) => ok)) throw new Error(JSON.stringify(outcomes));
});

afterAll(async () => {
  isCut = true;
  for (const { node, metrics } of nodes.values()) {
    await node.stop();
    metrics.stop();
  }
});

it(
  "every metric of membership and of circuits moves when what it counts happens",
  { timeout: 30_000 },
  async () => {
    const started = await scrape();
    const talking = [
      "coterie_membership_probes_total",
      "coterie_membership_messages_sent_total",
      "coterie_membership_messages_received_total",
    ];
    await moved(started, talking);

    const talked = await scrape();
    isCut = true;
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

    const silent = await scrape();
    await (nodes.get(addresses[0]) as MeteredNode).node.get(key, {});
    const refusing = ["coterie_circuit_refusals_total"];
    await moved(silent, refusing);

    const accused = await scrape();
    isCut = false;
    const refuting = ["coterie_membership_refutations_total", "coterie_membership_members"];
    await moved(accused, refuting);

    const refuted = await scrape();
    for (const end = performance.now() + 400; performance.now() < end;);
    await moved(refuted, ["coterie_membership_stalls_total"]);

    const stalling = "coterie_membership_stalls_total";
    const all = [...talking, ...accusing, ...refusing, ...refuting, stalling];
    expect(documented.toSorted()).toEqual([...new Set(all)].toSorted());
  },
);
