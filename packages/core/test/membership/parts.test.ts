import { describe, expect, it } from "vitest";
import type { NodeId, PeerAddress } from "../../src/ids.ts";
import { FlapDamping } from "../../src/membership/flap-damping.ts";
import { LocalHealth } from "../../src/membership/local-health.ts";
import { MemberTable, isDown } from "../../src/membership/member-table.ts";
import type { News } from "../../src/membership/news.ts";
import { NewsQueue } from "../../src/membership/news-queue.ts";
import { RoundTrip } from "../../src/membership/round-trip.ts";
import { Suspicion } from "../../src/membership/suspicion.ts";
import { sequenceOf } from "./few-members.ts";

const names = ["a", "b", "c", "d", "e"] as NodeId[];
const [a, b, c, d, e] = names as [NodeId, NodeId, NodeId, NodeId, NodeId];

describe("a suspicion", () => {
  const times = { msMin: 1000, msMax: 6000, expected: 3 };

  it("ends late while nobody shares it, and earlier with each who does", () => {
    const suspicion = new Suspicion(times, a, 100);
    const deadlines = [suspicion.deadline];
    for (const accuser of [b, c, d]) {
      expect(suspicion.confirm(accuser)).toBe(true);
      deadlines.push(suspicion.deadline);
    }
    expect(deadlines.map(Math.round)).toEqual([6100, 3600, 2138, 1100]);
  });

  it("counts each accuser once, and no more than are expected", () => {
    const suspicion = new Suspicion(times, a, 0);
    expect([a, b, b, c, d, e].map((accuser) => suspicion.confirm(accuser))).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it("takes the least time where nobody else can share it", () => {
    const suspicion = new Suspicion({ ...times, expected: 0 }, a, 0);
    expect(suspicion.deadline).toBe(1000);
    suspicion.delay(500);
    expect(suspicion.deadline).toBe(1500);
  });
});

describe("the questions to a suspect", () => {
  it("are two, the later the more others share the suspicion", () => {
    const suspicion = new Suspicion({ msMin: 1000, msMax: 6000, expected: 1 }, a, 0);
    const asked: number[] = [];
    for (let now = 0; now < 6000; now += 100) if (suspicion.takeQuestion(now)) asked.push(now);
    expect(asked).toEqual([5500, 5800]);
    const shared = new Suspicion({ msMin: 1000, msMax: 6000, expected: 1 }, a, 0);
    shared.confirm(b);
    expect([400, 500, 700, 800, 900].filter((now) => shared.takeQuestion(now))).toEqual([500, 800]);
  });
});

describe("local health", () => {
  it("stays within 0 and 8", () => {
    const health = new LocalHealth();
    health.improve();
    expect(health.multiplier).toBe(1);
    health.worsen(3);
    health.improve();
    expect(health.score).toBe(2);
    health.worsen(100);
    expect(health.multiplier).toBe(9);
  });
});

describe("a round trip", () => {
  it("follows what is measured, and leaves room for its spread", () => {
    const roundTrip = new RoundTrip(10);
    expect(roundTrip.timeoutMs).toBe(30);
    for (let count = 0; count < 50; count += 1) roundTrip.add(20);
    expect(roundTrip.ms).toBeCloseTo(20, 1);
    expect(roundTrip.timeoutMs).toBeLessThan(21);
    roundTrip.add(100);
    expect(roundTrip.timeoutMs).toBeGreaterThan(100);
  });
});

describe("flap damping", () => {
  it("forgives a few returns, holds longer with each further one, and forgets", () => {
    const damping = new FlapDamping();
    const holds = Array.from({ length: 9 }, () => damping.noteReturn(1));
    expect(holds).toEqual([0, 0, 0, 1000, 2000, 4000, 8000, 16_000, 30_000]);
    expect(damping.noteReturn(10 * 60_000)).toBe(0);
  });
});

describe("the queue of news", () => {
  const piece = (id: NodeId, state: News["state"] = "alive"): News => {
    return { id, state, incarnation: 1, by: a, ageMs: 5 };
  };
  const idsOf = (taken: readonly News[]): readonly NodeId[] => taken.map(({ id }) => id);

  it("tells each piece only so many times", () => {
    const queue = new NewsQueue(1000);
    queue.add(piece(b), 0);
    expect(idsOf(queue.take(1, 3, 0))).toEqual([b]);
    queue.add(piece(c), 0);
    expect(idsOf(queue.take(2, 3, 0))).toEqual([b, c]);
    expect(idsOf(queue.take(1, 3, 0))).toEqual([c]);
    expect(queue.take(1, 3, 0)).toEqual([]);
    expect(queue.size).toBe(0);
  });

  it("replaces what was to be told of the same member, and begins anew", () => {
    const queue = new NewsQueue(1000);
    queue.add(piece(b), 0);
    queue.take(2, 3, 0);
    queue.add(piece(b, "suspect"), 0);
    expect(queue.take(2, 3, 0)).toEqual([piece(b, "suspect")]);
    expect(queue.size).toBe(1);
    queue.forget(b);
    expect(queue.size).toBe(0);
  });

  it("fills a message and no more, with what was told least", () => {
    const queue = new NewsQueue(50);
    for (const id of [b, c, d]) queue.add(piece(id), 0);
    expect(idsOf(queue.take(1, 9, 0))).toEqual([b, c]);
    expect(idsOf(queue.take(1, 9, 0))).toEqual([d, b]);
    expect(idsOf(queue.take(1, 9, 0))).toEqual([c, d]);
  });

  it("sends a piece that is longer than a message is meant to be, by itself", () => {
    const queue = new NewsQueue(5);
    queue.add(piece(b), 0);
    queue.add(piece(c), 0);
    expect(idsOf(queue.take(1, 9, 0))).toEqual([b]);
  });

  it("says how old a death is by now", () => {
    const queue = new NewsQueue(1000);
    queue.add(piece(b, "dead"), 100);
    queue.add(piece(c), 100);
    expect(queue.take(1, 9, 350).map(({ ageMs }) => ageMs)).toEqual([255, 5]);
  });
});

describe("the table", () => {
  const tableOf = (self: NodeId, others: readonly NodeId[]): MemberTable => {
    const table = new MemberTable(self, "x:1" as PeerAddress, sequenceOf(3));
    for (const id of others) table.add(id, "x:1" as PeerAddress);
    return table;
  };

  it("probes everybody once in each round, and leaves out who is down", () => {
    const table = tableOf(a, [b, c, d, e]);
    const dead = table.get(c);
    if (dead !== undefined) table.set(dead, { state: "dead", incarnation: 0, by: a }, 0);
    for (let round = 0; round < 5; round += 1) {
      const probed = [0, 1, 2].map(() => table.nextToProbe()?.id);
      expect(new Set(probed)).toEqual(new Set([b, d, e]));
    }
  });

  it("has nobody to probe when all are down, or when it is alone", () => {
    const table = tableOf(a, [b]);
    const other = table.get(b);
    if (other !== undefined) table.set(other, { state: "left", incarnation: 0, by: a }, 0);
    expect(table.nextToProbe()).toBeUndefined();
    expect(tableOf(a, []).nextToProbe()).toBeUndefined();
  });

  it("chooses different members, as many as there are", () => {
    const many = Array.from({ length: 40 }, (_, at) => `m${at}` as NodeId);
    const table = tableOf(a, many);
    for (const count of [1, 3, 40]) {
      const chosen = table.choose(count, () => true);
      expect(new Set(chosen).size).toBe(count);
    }
    expect(table.choose(3, ({ id }) => id === "m7").map(({ id }) => id)).toEqual(["m7"]);
    expect(table.choose(3, isDown)).toEqual([]);
  });

  it("digests who is there in which life, whatever order it was learnt in", () => {
    const one = tableOf(a, [b, c]);
    const other = tableOf(b, [c, a]);
    expect(one.digest).toBe(other.digest);
    const set = (
      table: MemberTable,
      id: NodeId,
      state: News["state"],
      incarnation: number,
    ): void => {
      const record = table.get(id);
      if (record !== undefined) table.set(record, { state, incarnation, by: a }, 0);
    };
    set(one, c, "suspect", 0);
    expect(one.digest).toBe(other.digest);
    set(one, c, "dead", 0);
    expect(one.digest).not.toBe(other.digest);
    set(other, c, "alive", 1);
    expect(one.digest).not.toBe(other.digest);
    set(one, c, "alive", 1);
    expect(one.digest).toBe(other.digest);
    const removed = one.get(c);
    if (removed !== undefined) one.remove(removed);
    expect(one.digest).toBe(tableOf(a, [b]).digest);
    expect(one.size).toBe(2);
  });
});
