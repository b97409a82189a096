import type { Clock, Disk, DiskOutcome, Network, Random, Settle } from "@coterie/ports";
import {
  type ClockSubject,
  type DiskSubject,
  type Guarantee,
  type NetworkSubject,
  type RandomSubject,
  clockGuarantees,
  diskGuarantees,
  networkGuarantees,
  randomGuarantees,
} from "@coterie/ports/conformance";
import { describe, expect, it } from "vitest";
import { SeededRandom, SimClock, SimDisk, World } from "../src/index.ts";
import { drain } from "./drain.ts";
import { networkSubject } from "./network-subject.ts";

/** An adapter that differs from the right one in a few methods. */
function broken<Port extends object>(right: Port, bug: (right: Port) => Partial<Port>): Port {
  const changed = bug(right);
  return new Proxy(right, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in changed ? changed : target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** How many guarantees notice. */
async function broke<Subject>(
  guarantees: readonly Guarantee<Subject>[],
  subjectIn: (world: World) => Subject,
): Promise<number> {
  let count = 0;
  for (const guarantee of guarantees) {
    const world = new World({ seed: 1, drain });
    const story = guarantee.run(subjectIn(world));
    await world.runUntilSettled(story).catch(() => count++);
  }
  return count;
}

const clockBugs: Record<string, (right: Clock) => Partial<Clock>> = {
  "fires early": (right) => ({ at: (deadline, fire) => right.at(deadline - 1, fire) }),
  "fires within the call when the deadline has passed": (right) => ({
    at: (deadline, fire) => {
      if (deadline > right.monotonicMs()) return right.at(deadline, fire);
      fire();
      return () => {};
    },
  }),
  "fires in spite of cancel": (right) => ({
    at: (deadline, fire) => {
      right.at(deadline, fire);
      return () => {};
    },
  }),
  "ends a turn within the call": () => ({ afterTurn: (fire) => fire() }),
};

const randomBugs: Record<string, (right: Random) => Partial<Random>> = {
  "reaches the bound": (right) => ({ below: (bound) => right.below(bound + 1) }),
  "never returns 0": (right) => ({ below: (bound) => right.below(bound) || bound - 1 }),
  "draws 32 bits only": (right) => ({ below: (bound) => right.below(Math.min(bound, 2 ** 32)) }),
  "repeats its bytes": () => ({ bytes: (count) => new Uint8Array(count).fill(7) }),
};

const unsorted = (outcome: DiskOutcome<readonly string[]>): DiskOutcome<readonly string[]> =>
  outcome.ok ? { ok: true, value: outcome.value.toReversed() } : outcome;

const diskBugs: Record<string, (right: Disk) => Partial<Disk>> = {
  "settles within the call": () => ({ size: (_file, settle) => settle({ ok: true, value: 0 }) }),
  "settles twice": (right) => ({
    sync: (file, settle) =>
      right.sync(file, (outcome) => {
        settle(outcome);
        settle(outcome);
      }),
  }),
  "opens an existing file for create": (right) => ({
    open: (name, _mode, settle) =>
      right.open(name, "create", (outcome) =>
        outcome.ok ? settle(outcome) : right.open(name, "existing", settle),
      ),
  }),
  "lists in no order": (right) => ({
    list: (settle) => right.list((outcome) => settle(unsorted(outcome))),
  }),
  "reads short": (right) => ({
    read: (file, position, length, settle) =>
      right.read(file, position, Math.min(length, 65_536), settle),
  }),
  "gives the lock to anyone": () => ({
    lock: (settle: Settle) => queueMicrotask(() => settle({ ok: true, value: undefined })),
  }),
};

type Bytes = Network<Uint8Array, Uint8Array>;

const networkBugs: Record<string, (right: Bytes) => Partial<Bytes>> = {
  "settles twice": (right) => ({
    call: (to, request, deadline, settle) =>
      right.call(to, request, deadline, (reply) => {
        settle(reply);
        settle(reply);
      }),
  }),
  "refuses within the call": (right) => ({
    call: (to, request, deadline, settle) =>
      right.isReachable(to)
        ? right.call(to, request, deadline, settle)
        : settle({ ok: false, reason: "refused" }),
  }),
  "calls every failure a refusal": (right) => ({
    call: (to, request, deadline, settle) =>
      right.call(to, request, deadline, (reply) =>
        settle(reply.ok ? reply : { ok: false, reason: "refused" }),
      ),
  }),
  "keeps the caller's buffer": (right) => ({
    call: (to, request, deadline, settle) =>
      queueMicrotask(() => right.call(to, request, deadline, settle)),
  }),
  "forgets the deadline": (right) => ({
    call: (to, request, _deadline, settle) => right.call(to, request, 1e9, settle),
  }),
  "gives every caller the first response": (right) => {
    let first: Uint8Array | undefined;
    return {
      call: (to, request, deadline, settle) =>
        right.call(to, request, deadline, (reply) => {
          if (!reply.ok) return settle(reply);
          first ??= reply.response;
          settle({ ok: true, response: first });
        }),
    };
  },
};

function brokenNetwork(
  world: World,
  bug: (right: Bytes) => Partial<Bytes>,
): NetworkSubject<Uint8Array, Uint8Array> {
  const subject = networkSubject(world);
  const open = async (receive: Parameters<typeof subject.open>[0]) => {
    const endpoint = await subject.open(receive);
    return { ...endpoint, network: broken(endpoint.network, bug) };
  };
  return { ...subject, open };
}

describe("the conformance suites notice", () => {
  it.each(Object.entries(clockBugs))("a clock that %s", async (_name, bug) => {
    const subject = (world: World): ClockSubject => ({ clock: broken(new SimClock(world), bug) });
    expect(await broke(clockGuarantees, subject)).toBeGreaterThan(0);
  });

  it.each(Object.entries(randomBugs))("a source that %s", async (_name, bug) => {
    const subject = (): RandomSubject => ({ random: broken(new SeededRandom(1), bug) });
    expect(await broke(randomGuarantees, subject)).toBeGreaterThan(0);
  });

  it.each(Object.entries(networkBugs))("a network that %s", async (_name, bug) => {
    const subject = (world: World) => brokenNetwork(world, bug);
    expect(
      await broke<NetworkSubject<Uint8Array, Uint8Array>>(networkGuarantees, subject),
    ).toBeGreaterThan(0);
  });

  it.each(Object.entries(diskBugs))("a disk that %s", async (_name, bug) => {
    const subject = (world: World): DiskSubject => {
      const disk = new SimDisk(world, { name: "n1" });
      const other = disk.forProcess("n2");
      return { disk: broken(disk, bug), other: broken(other, bug), holderName: "n1" };
    };
    expect(await broke(diskGuarantees, subject)).toBeGreaterThan(0);
  });
});
