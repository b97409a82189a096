import { readFileSync } from "node:fs";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import {
  type ActorId,
  Ring,
  VersionVector,
  encodeRecord,
  hybridTimeZero,
  tokenOf,
  utf8,
} from "@coterie/core";
import type { Network } from "@coterie/ports";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type MeteredNode, meteredNode } from "./metered-node.ts";
import { type Scrape, movedBetween, parseScrape } from "./scrape.ts";

const documented = [
  ...readFileSync(
    new URL("../../../../docs/operations/metrics.md", import.meta.url),
    "utf8",
  ).matchAll(/^\| `(coterie_hints_\w+)` \|/gmu),
].map(([, name = ""]) => name);

const addresses = ["127.0.0.1:1", "127.0.0.1:2"] as const;
const nodes = new Map<string, MeteredNode>();
/** From the moment it is cut nothing is delivered. */
let isCut = false;

const network: Network<PeerRequest, PeerResponse> = {
  call(to, request, deadline, settle) {
    setImmediate(() => {
      const target = nodes.get(to);
      if (isCut || target === undefined) settle({ ok: false, reason: "refused" });
      else target.node.receive(request, deadline, (response) => settle({ ok: true, response }));
    });
  },
  isReachable: () => !isCut,
};

const first = (): MeteredNode => nodes.get(addresses[0]) as MeteredNode;

async function scrape(): Promise<Scrape> {
  return parseScrape((await first().metrics.render()).text);
}

/** A key of which the second node has the only copy, with a value of so many bytes. */
function hintOf(bytes: number): PeerRequest {
  const document = first().node.document();
  if (document === undefined) throw new Error("the cluster has not formed");
  const ring = new Ring(document);
  const actor = "00000000000000aa" as ActorId;
  for (let number = 0; ; number += 1) {
    const key = { bucket: "default", key: utf8(`key-${number}`) };
    const { primaries } = ring.preferenceList(tokenOf(key, document.settings), 1);
    const [primary] = primaries;
    if (primary?.address !== addresses[1]) continue;
    const dot = { actor, counter: 1 };
    const sibling = {
      dots: [dot],
      value: new Uint8Array(bytes),
      contentType: "",
      writtenAt: hybridTimeZero,
      writeId: undefined,
      expiresAtMs: undefined,
    };
    const clock = VersionVector.of([dot]);
    const record = encodeRecord(key, { clock, siblings: [sibling], deadWrites: [] });
    return { kind: "hint", fence: 0, stamp: ring.stamp, target: primary.id, record };
  }
}

function hold(bytes: number): Promise<PeerResponse> {
  return new Promise((resolve) => {
    first().node.receive(hintOf(bytes), Number.MAX_SAFE_INTEGER, resolve);
  });
}

beforeAll(async () => {
  addresses.forEach((address, at) => {
    const member = { id: `n${at + 1}`, address };
    nodes.set(address, meteredNode({ member, bootstrap: addresses, network, hintBytesMax: 4096 }));
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

it("every metric of hints moves when what it counts happens", async () => {
  isCut = true;
  const before = await scrape();
  expect(await hold(1000)).toEqual({ kind: "merged", changed: true });
  const held = await scrape();
  expect(await hold(5000)).toMatchObject({ kind: "refused", code: "hints-full" });
  const after = await scrape();
  const moved = new Set([...movedBetween(before, held), ...movedBetween(held, after)]);
  expect(documented.length).toBeGreaterThan(2);
  expect(documented.filter((name) => !moved.has(name))).toEqual([]);
});
