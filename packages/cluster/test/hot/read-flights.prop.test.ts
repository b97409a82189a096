import { type RequestMode, tokenOf, utf8 } from "@coterie/core";
import { SimClock, World } from "@coterie/sim";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type FlightPlan, ReadFlights } from "../../src/coordinator/read-flights.ts";
import type { QuorumRead } from "../../src/coordinator/quorum-read.ts";

interface Asked {
  readonly key: "a" | "b";
  readonly r: number;
  readonly mode: RequestMode;
  readonly afterMs: number;
  /** Of the read, if this get begins one. */
  readonly takesMs: number;
}

const asked = fc.record<Asked>({
  key: fc.constantFrom("a", "a", "a", "b"),
  r: fc.constantFrom(2, 2, 2, 1),
  mode: fc.constantFrom("strict", "strict", "strict", "sloppy"),
  afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
  takesMs: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(400)),
});

interface Began {
  readonly plan: FlightPlan;
  readonly order: number;
  readonly read: QuorumRead;
}

/** Runs gets on virtual time; says of each when it arrived and which read answered it. */
async function run(gets: readonly Asked[]): Promise<{
  answers: { get: Asked; order: number; began: Began; answeredMs: number; arrivedMs: number }[];
  begun: number;
  joined: number;
  lanes: number;
}> {
  const world = new World({ seed: 1, drain: () => new Promise((done) => setImmediate(done)) });
  const clock = new SimClock(world);
  const counters = { getsJoined: 0 };
  const flights = new ReadFlights({ clock, counters });
  const begun: Began[] = [];
  const answers: Awaited<ReturnType<typeof run>>["answers"] = [];
  let order = 0;
  let atMs = 0;
  for (const get of gets) {
    atMs += get.afterMs;
    world.scheduleAt(atMs, () => {
      order += 1;
      const arrived = order;
      const arrivedMs = clock.monotonicMs();
      const plan = planOf(get, arrivedMs + 2000);
      flights.read({
        plan,
        ask: (ending) => {
          order += 1;
          const acks = { primaries: get.r, fallbacks: 0, required: get.r };
          const read = { ok: true as const, stored: undefined, acks, beganMs: arrivedMs };
          begun.push({ plan, order, read });
          clock.at(clock.monotonicMs() + get.takesMs, () => ending.settle(read));
        },
        settle: (read) => {
          const began = begun.find((each) => each.read === read) as Began;
          answers.push({ get, order: arrived, began, arrivedMs, answeredMs: clock.monotonicMs() });
        },
        fail: (error) => {
          throw error;
        },
      });
    });
  }
  await world.run({ until: atMs + 20_000 });
  return { answers, begun: begun.length, joined: counters.getsJoined, lanes: flights.lanes };
}

function planOf({ key, r, mode }: Asked, deadline: number): FlightPlan {
  const place = { bucket: "default", key: utf8(key) };
  const token = tokenOf(place, { hash: "md5", partitions: 64 });
  return {
    placed: { ...place, token },
    quorum: { r, pr: 0 },
    mode,
    stamp: { epoch: 1, tag: 1 },
    deadline,
  };
}

it("answers every get by a read of the same question that began after the get came", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { maxLength: 40 }), async (gets) => {
      const { answers, begun, joined, lanes } = await run(gets);
      expect(answers.length).toBe(gets.length);
      expect(begun + joined).toBe(gets.length);
      expect(lanes).toBe(0);
      for (const { get, order, began, arrivedMs, answeredMs } of answers) {
        expect(began.order).toBeGreaterThan(order);
        const same = planOf(get, began.plan.deadline);
        expect(began.plan).toEqual(same);
        // It waits 50 ms at most, and then for one read.
        expect(answeredMs - arrivedMs).toBeLessThanOrEqual(50 + 400);
      }
    }),
    { numRuns: 150 },
  );
});

it("has one read under way and one after it, however many ask", async () => {
  const gets = Array.from({ length: 500 }, (_, at): Asked => {
    return { key: "a", r: 2, mode: "strict", afterMs: at % 10 === 0 ? 1 : 0, takesMs: 5 };
  });
  const { begun, joined } = await run(gets);
  // Fifty milliseconds of reads that take five, the first, and the last.
  expect(begun).toBeLessThanOrEqual(12);
  expect(joined).toBe(500 - begun);
});
