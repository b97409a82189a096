import type { PeerAddress } from "@coterie/core";
import type { Network, Reply } from "@coterie/ports";
import { SimClock, World } from "@coterie/sim";
import { expect, it } from "vitest";
import { PeerCircuits } from "../src/circuits/peer-circuits.ts";
import type { PeerRequest, PeerResponse } from "../src/messages.ts";

const peer = "n2:1" as PeerAddress;
const callCount = 500;
const request: PeerRequest = { kind: "ask-levels" };
const absent = { ok: true, response: { kind: "unknown" } } as const;

interface Told {
  readonly call: number;
  readonly reply: Reply<PeerResponse>;
  readonly turn: number;
}

/** Calls to a peer that says nothing, until its circuit has opened; some answers come after. */
async function callSilentPeer(answeredLate: readonly number[]): Promise<readonly Told[]> {
  const world = new World({ seed: 1, drain: () => new Promise((done) => setImmediate(done)) });
  const clock = new SimClock(world);
  const under: ((reply: Reply<PeerResponse>) => void)[] = [];
  const network: Network<PeerRequest, PeerResponse> = {
    call: (_to, _request, _deadline, settle) => void under.push(settle),
    isReachable: () => true,
  };
  const circuits = new PeerCircuits({
    clock,
    network,
    ping: (_to, deadline, settle) => void clock.at(deadline, () => settle(false)),
    onClosed: () => undefined,
    onStale: () => undefined,
  });
  const told: Told[] = [];
  let turn = 0;
  let isCounted = false;
  for (let call = 0; call < callCount; call += 1) {
    circuits.call(peer, request, 60_000, (reply) => {
      told.push({ call, reply, turn });
      if (isCounted) return;
      isCounted = true;
      if (turn === 0) for (const late of answeredLate) under[late]?.(absent);
      clock.afterTurn(() => {
        turn += 1;
        isCounted = false;
      });
    });
  }
  await world.run({ until: 10_000 });
  circuits.stop();
  return told;
}

it("a silent peer's calls are given up a few in each turn, so that others are served", async () => {
  const told = await callSilentPeer([]);
  expect(told.map(({ call }) => call).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: callCount }, (_, call) => call),
  );
  expect(told.every(({ reply }) => !reply.ok && reply.reason === "timeout")).toBe(true);
  const byTurn = new Map<number, number>();
  for (const { turn } of told) byTurn.set(turn, (byTurn.get(turn) ?? 0) + 1);
  expect(Math.max(...byTurn.values())).toBeLessThanOrEqual(8);
});

it("who is answered while others are given up is told so, and nothing else", async () => {
  const told = await callSilentPeer([callCount - 1]);
  expect(told.length).toBe(callCount);
  const last = told.filter(({ call }) => call === callCount - 1);
  expect(last).toMatchObject([{ reply: absent }]);
});
