import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Network } from "@coterie/ports";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type MeteredNode, meteredNode } from "./metered-node.ts";
import { parseScrape } from "./scrape.ts";

const addresses = [1, 2, 3, 4, 5].map((port) => `127.0.0.1:${port}`);
const nodes = new Map<string, MeteredNode>();
/** Who gets nothing, and says nothing. */
let away: string | undefined;

const network: Network<PeerRequest, PeerResponse> = {
  call(to, request, deadline, settle) {
    setImmediate(() => {
      const target = nodes.get(to);
      if (away === to || target === undefined) settle({ ok: false, reason: "refused" });
      else target.node.receive(request, deadline, (response) => settle({ ok: true, response }));
    });
  },
  isReachable: (to) => away !== to,
};

/** A node with nothing in its directory, at the `at`th address. */
function emptyNode(at: number): MeteredNode {
  const member = { id: `n${at + 1}`, address: addresses[at] ?? "" };
  const made = meteredNode({ member, bootstrap: addresses, network, nMax: 3 });
  nodes.set(member.address, made);
  return made;
}

async function value(node: MeteredNode, name: string): Promise<number | undefined> {
  return parseScrape((await node.metrics.render()).text).get(name);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

beforeAll(async () => {
  const outcomes = await Promise.all(addresses.map((_, at) => emptyNode(at).node.start()));
  if (!outcomes.every(({ ok }) => ok)) throw new Error(JSON.stringify(outcomes));
});

afterAll(async () => {
  for (const { node, metrics } of nodes.values()) {
    await node.stop();
    metrics.stop();
  }
});

it(
  "every metric of lost directories moves when what it counts happens",
  { timeout: 60_000 },
  async () => {
    const [first, , , , last] = [...nodes.values()];
    if (first === undefined || last === undefined) throw new Error("there are five nodes");
    expect(await value(first, "coterie_directories_replaced_total")).toBe(0);
    await last.node.stop();
    last.metrics.stop();
    away = addresses[3];
    const returned = emptyNode(4);
    expect(await returned.node.start()).toEqual({ ok: true });
    expect(await value(first, "coterie_directories_replaced_total")).toBe(1);
    // One of those that may have what was lost cannot be asked.
    expect(await value(returned, "coterie_refilling")).toBe(1);
    away = undefined;
    await until(() => !returned.node.isRefilling);
    expect(await value(returned, "coterie_refilling")).toBe(0);
  },
);
