import type { PeerAddress } from "@coterie/core";
import type { Network, Receive, Reply } from "@coterie/ports";
import { describe, expect, it } from "vitest";
import { type NetworkWeather, SimClock, SimNetwork, World } from "../src/index.ts";
import { drain } from "./drain.ts";

const here = "here" as PeerAddress;
const there = "there" as PeerAddress;

interface Pair {
  readonly world: World;
  readonly clock: SimClock;
  readonly network: SimNetwork<number, number>;
  readonly port: Network<number, number>;
  readonly executed: number[];
}

/** Two nodes; the one over there doubles what it is sent. */
function pairOf(seed: number, weather?: NetworkWeather): Pair {
  const world = new World({ seed, drain });
  const network = new SimNetwork<number, number>(world, {
    copyRequest: (request) => request,
    copyResponse: (response) => response,
    ...(weather === undefined ? {} : { weather }),
  });
  const clock = new SimClock(world);
  const executed: number[] = [];
  const double: Receive<number, number> = (request, _deadline, settle) => {
    executed.push(request);
    settle(request * 2);
  };
  const port = network.register(here, clock, double);
  network.register(there, new SimClock(world, { monotonicOffsetMs: -777 }), double);
  return { world, clock, network, port, executed };
}

function callTimes(pair: Pair, count: number, timeoutMs: number): (Reply<number> | "twice")[] {
  const replies: (Reply<number> | "twice")[] = [];
  for (let request = 0; request < count; request++) {
    pair.port.call(there, request, pair.clock.monotonicMs() + timeoutMs, (reply) => {
      replies[request] = replies[request] === undefined ? reply : "twice";
    });
  }
  return replies;
}

const storm: NetworkWeather = {
  latency: { msMin: 0.25, msMax: 8 },
  lossPerThousand: 200,
  duplicatePerThousand: 300,
  latePerThousand: 200,
};

describe("a storm", () => {
  it("settles every call once, with its own response or none", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const pair = pairOf(seed, storm);
      const replies = callTimes(pair, 100, 20);
      await pair.world.run();
      expect(Object.keys(replies)).toHaveLength(100);
      for (const [request, reply] of replies.entries()) {
        if (reply === "twice" || !reply.ok) expect(reply).toMatchObject({ reason: "timeout" });
        else expect(reply.response).toBe(request * 2);
      }
    }
  });

  it("carries what was remembered a second time, to the process that it was sent to", async () => {
    const pair = pairOf(1);
    const replies = callTimes(pair, 3, 20);
    const end = pair.network.remember(1000);
    callTimes(pair, 5, 20);
    const replay = end();
    callTimes(pair, 2, 20);
    await pair.world.run();
    expect(pair.executed).toHaveLength(10);
    replay();
    await pair.world.run();
    expect(pair.executed).toHaveLength(15);
    expect(new Set(pair.executed.slice(10))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(replies).not.toContain("twice");
    pair.network.crash(there);
    pair.network.register(there, new SimClock(pair.world), (request, _deadline, settle) => {
      pair.executed.push(request);
      settle(request);
    });
    replay();
    await pair.world.run();
    expect(pair.executed).toHaveLength(15);
  });

  it("loses, repeats, reorders and delays beyond the deadline", async () => {
    const pair = pairOf(1, storm);
    let executedInTime = 0;
    const replies = callTimes(pair, 200, 20);
    pair.clock.at(20, () => (executedInTime = pair.executed.length));
    await pair.world.run();
    const { executed } = pair;
    expect(replies.filter((reply) => reply !== "twice" && reply.ok).length).toBeGreaterThan(50);
    expect(new Set(executed).size).toBeLessThan(200);
    expect(executed.length).toBeGreaterThan(new Set(executed).size);
    expect(executed).not.toEqual(executed.toSorted((left, right) => left - right));
    expect(executed.length).toBeGreaterThan(executedInTime);
  });

  it("is the same for the same seed", async () => {
    const run = async (seed: number): Promise<string> => {
      const pair = pairOf(seed, storm);
      callTimes(pair, 100, 20);
      await pair.world.run();
      return pair.world.traceHash();
    };
    expect(await run(1)).toBe(await run(1));
    expect(await run(1)).not.toBe(await run(2));
  });
});

describe("a cut", () => {
  it("in one direction loses requests, in the other responses", async () => {
    for (const [from, to, count] of [
      [here, there, 0],
      [there, here, 5],
    ] as const) {
      const pair = pairOf(1);
      pair.network.cut(from, to);
      const replies = callTimes(pair, 5, 20);
      await pair.world.run();
      expect(replies).toEqual(Array.from({ length: 5 }, () => ({ ok: false, reason: "timeout" })));
      expect(pair.executed).toHaveLength(count);
    }
  });

  it("that the sender notices refuses, executes nothing, and mends", async () => {
    const pair = pairOf(1);
    pair.network.partition([here], [there], "refusing");
    expect(pair.port.isReachable(there)).toBe(false);
    expect(callTimes(pair, 2, 20)).toEqual([]);
    await pair.world.run();
    expect(pair.executed).toEqual([]);
    pair.network.heal();
    expect(pair.port.isReachable(there)).toBe(true);
    const replies = callTimes(pair, 1, 20);
    await pair.world.run();
    expect(replies).toEqual([{ ok: true, response: 0 }]);
  });
});

describe("a held link", () => {
  it("delivers what was sent once it is released, though its sender gave up", async () => {
    const pair = pairOf(1);
    pair.network.hold(here, there);
    const replies = callTimes(pair, 3, 20);
    await pair.world.run();
    expect(replies).toEqual(Array.from({ length: 3 }, () => ({ ok: false, reason: "timeout" })));
    expect(pair.executed).toEqual([]);
    pair.network.release(here, there);
    await pair.world.run();
    expect(new Set(pair.executed)).toEqual(new Set([0, 1, 2]));
    expect(replies).not.toContain("twice");
  });

  it("is released by healing, and carries again", async () => {
    const pair = pairOf(1);
    pair.network.hold(there, here);
    const replies = callTimes(pair, 1, 20);
    await pair.world.run({ until: 10 });
    expect(replies).toEqual([]);
    pair.network.heal();
    await pair.world.run();
    expect(replies).toEqual([{ ok: true, response: 0 }]);
  });
});

describe("a crash", () => {
  it("of the sender settles nothing; of the receiver never says refused once sent", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const sender = pairOf(seed);
      const unsettled = callTimes(sender, 5, 20);
      sender.network.crash(here);
      await sender.world.run();
      expect(unsettled).toEqual([]);

      const receiver = pairOf(seed);
      const replies = callTimes(receiver, 5, 20);
      receiver.world.schedule(1, () => receiver.network.crash(there));
      await receiver.world.run();
      for (const reply of replies) expect(reply).not.toMatchObject({ reason: "refused" });
      expect(Object.keys(replies)).toHaveLength(5);
    }
  });

  it("keeps what was sent before it from the process that comes next", async () => {
    const pair = pairOf(1);
    callTimes(pair, 5, 20);
    pair.network.crash(there);
    let received = 0;
    pair.network.register(there, pair.clock, () => received++);
    await pair.world.run();
    expect(received).toBe(0);
  });
});
