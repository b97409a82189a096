import { readFileSync } from "node:fs";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import { utf8 } from "@coterie/core";
import type { Network } from "@coterie/ports";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type MeteredNode, meteredNode } from "./metered-node.ts";
import { type Scrape, movedBetween, parseScrape } from "./scrape.ts";

const documented = [
  ...readFileSync(
    new URL("../../../../docs/operations/metrics.md", import.meta.url),
    "utf8",
  ).matchAll(/^\| `(coterie_reaping_\w+)` \|/gmu),
].map(([, name = ""]) => name);

const addresses = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"] as const;
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

const first = (): MeteredNode => nodes.get(addresses[0]) as MeteredNode;

async function scrape(): Promise<Scrape> {
  return parseScrape((await first().metrics.render()).text);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

beforeAll(async () => {
  addresses.forEach((address, at) => {
    const member = { id: `n${at + 1}`, address };
    const settings = { network, nMax: 3, reapAfterMs: 200 };
    nodes.set(address, meteredNode({ member, bootstrap: addresses, ...settings }));
  });
  const outcomes = await Promise.all([...nodes.values()].map(({ node }) => node.start()));
  if (!outcomes.every(({ ok }) => ok)) throw new Error(JSON.stringify(outcomes));
});

afterAll(async () => {
  for (const { node, metrics } of nodes.values()) {
    await node.stop();
    metrics.stop();
  }
});

it("every metric of reaping moves when what it counts happens", { timeout: 60_000 }, async () => {
  const { node } = first();
  const before = await scrape();
  const input = { value: utf8("x"), contentType: "", context: undefined, writeId: undefined };
  const keys = Array.from({ length: 40 }, (_, at) => ({
    bucket: "default",
    key: utf8(`key-${at}`),
  }));
  for (const key of keys) {
    await node.put(key, { ...input, returnBody: false, ifAbsent: false }, { w: 3 });
    await node.delete(key, undefined, { w: 3, r: 3 });
  }
  const deleted = await scrape();
  away = addresses[2];
  await until(() => (node.reaping()?.blockers.length ?? 0) > 0);
  const blocked = await scrape();
  away = undefined;
  await until(() => node.reaping()?.tombstones === 0);
  const after = await scrape();
  const moved = new Set([
    ...movedBetween(before, deleted),
    ...movedBetween(deleted, blocked),
    ...movedBetween(blocked, after),
  ]);
  expect(documented.length).toBe(3);
  expect(documented.filter((name) => !moved.has(name))).toEqual([]);
});
