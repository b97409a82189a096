import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { MembershipMessage, NodeId, PeerAddress } from "@coterie/core";
import type { Reply } from "@coterie/ports";
import { afterEach, expect, it } from "vitest";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { PeerNetworks } from "../../src/adapters/peer-network/peer-networks.ts";
import { defaultPeerOptions } from "../../src/adapters/peer-network/peer-options.ts";
import { PeerServer, type PeerServerInput } from "../../src/adapters/peer-network/peer-server.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";

const clock = new SystemClock();
const message: MembershipMessage = {
  from: "a" as NodeId,
  to: "b" as NodeId,
  incarnation: 1,
  epoch: 1,
  news: [],
  body: { kind: "ping", sequence: 1 },
};
const ping: PeerRequest = { kind: "membership", cluster: 1, message };
const pong: PeerResponse = { kind: "membership", messages: [message] };
const merge: PeerRequest = {
  kind: "merge",
  fence: 0,
  stamp: { epoch: 1, tag: 1 },
  record: new Uint8Array(8 * 1024 * 1024),
};

let network: PeerNetworks;
let server: PeerServer;

afterEach(async () => {
  network.close();
  await server.close();
});

it("what members say does not wait behind data that nobody takes", async () => {
  // Data is never answered, so that its budget is spent and its socket's buffers are full.
  server = new PeerServer({
    clock,
    receive: (request, _deadline, settle) => {
      if (request.kind === "membership") settle(pong);
    },
  });
  const bound = await server.listen("127.0.0.1", 0);
  if (!bound.ok) throw new Error(bound.message);
  const address = `127.0.0.1:${bound.port}` as PeerAddress;
  network = new PeerNetworks({ clock, random: new NodeRandom() });
  const ask = (request: PeerRequest): Promise<Reply<PeerResponse>> =>
    new Promise((resolve) => {
      network.call(address, request, clock.monotonicMs() + 60_000, resolve);
    });
  const data = Array.from({ length: 12 }, () => ask(merge));
  expect(await ask(ping)).toEqual({ ok: true, response: pong });
  expect(server.statistics.streams).toBe(2);
  expect(network.totals().refusedOverBudget).toBeGreaterThan(0);
  network.close();
  const settled = await Promise.all(data);
  expect(settled.every(({ ok }) => !ok)).toBe(true);
});

it("a control stream that comes back brings the data stream back", async () => {
  const receive: PeerServerInput["receive"] = (request, _deadline, settle) => {
    settle(request.kind === "membership" ? pong : { kind: "merged", changed: true });
  };
  server = new PeerServer({ clock, receive });
  const bound = await server.listen("127.0.0.1", 0);
  if (!bound.ok) throw new Error(bound.message);
  const address = `127.0.0.1:${bound.port}` as PeerAddress;
  const random = new NodeRandom();
  // Data alone would be tried again in an hour.
  const patient = { ...defaultPeerOptions, backoffMsMin: 3_600_000, backoffMsMax: 3_600_000 };
  network = new PeerNetworks({ clock, random, options: patient });
  const ask = (request: PeerRequest): Promise<Reply<PeerResponse>> =>
    new Promise((resolve) => {
      network.call(address, request, clock.monotonicMs() + 60_000, resolve);
    });
  const small: PeerRequest = { ...merge, record: new Uint8Array(8) };
  expect(await ask(small)).toMatchObject({ ok: true });
  expect(await ask(ping)).toMatchObject({ ok: true });
  await server.close();
  await expect.poll(() => network.isReachable(address)).toBe(false);
  server = new PeerServer({ clock, receive });
  await server.listen("127.0.0.1", bound.port);
  await expect.poll(() => network.isReachable(address), { timeout: 10_000 }).toBe(true);
  expect(await ask(small)).toMatchObject({ ok: true });
});
