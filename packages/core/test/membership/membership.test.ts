import { expect, it } from "vitest";
import type { NodeId } from "../../src/ids.ts";
import { FewMembers } from "./few-members.ts";

const five = ["a", "b", "c", "d", "e"];

it("asks a suspect itself before it declares it dead: news of its refutation may be lost", () => {
  const members = new FewMembers(five, { probeIntervalMs: 60_000, retransmissions: 0.1 });
  members.run(1000);
  const machine = members.machine("a");
  const id = "c" as NodeId;
  const accusation = { id, state: "suspect", incarnation: 0, by: "b" as NodeId, ageMs: 0 } as const;
  const header = { from: "b" as NodeId, to: "a" as NodeId, incarnation: 0, epoch: 1 };
  const body = { kind: "gossip" } as const;
  machine.receive({ ...header, news: [accusation], body }, members.now);
  expect(members.stateOf("c", "a")).toBe("suspect");
  members.run(200_000);
  expect(members.stateOf("c", "a")).toBe("alive");
  expect(members.events("dead")).toEqual([]);
});

it("asks others before it suspects: one cut link accuses nobody", () => {
  const members = new FewMembers(["a", "b", "c"]);
  members.run(1000);
  members.cut("a", "b");
  members.cut("b", "a");
  members.run(60_000);
  expect(members.events("suspected")).toEqual([]);
  expect(members.machine("a").counts.indirectProbes).toBeGreaterThan(50);
});

it("is told that it is suspected, and refutes within one probe interval", () => {
  const members = new FewMembers(five);
  members.run(2000);
  members.stop("c");
  members.run(2500);
  expect(five.map((name) => members.stateOf("c", name))).toEqual([
    "suspect",
    "suspect",
    "alive",
    "suspect",
    "suspect",
  ]);
  members.resume("c");
  members.run(800);
  expect(five.map((name) => members.stateOf("c", name))).toEqual(five.map(() => "alive"));
  expect(members.events("dead")).toEqual([]);
  expect(members.events("refuted", "c")).toHaveLength(1);
});

it.each([0, 137, 259, 411, 613, 777, 901])(
  "suspects who fell silent after 0.8 s at the earliest and 3 s at the latest (%i)",
  (moment) => {
    const members = new FewMembers(five);
    members.run(2000 + moment);
    members.stop("e");
    const stoppedAt = members.now;
    members.run(3000);
    const [first] = members.events("suspected");
    expect(first?.event).toMatchObject({ id: "e" });
    expect((first?.at ?? 0) - stoppedAt).toBeGreaterThanOrEqual(750);
  },
);

it("accuses nobody for its own stall, and says that it stood still", () => {
  const members = new FewMembers(five);
  members.run(2000);
  members.stop("a");
  members.run(30_000);
  const before = members.events("suspected", "a").length;
  members.resume("a");
  members.run(200);
  expect(members.events("stalled", "a")).toMatchObject([{ event: { kind: "stalled" } }]);
  expect(members.machine("a").localHealth).toBeGreaterThan(0);
  members.run(20_000);
  expect(members.events("suspected", "a").length).toBe(before);
  expect(members.machine("a").localHealth).toBe(0);
  expect(five.map((name) => members.stateOf("a", name))).toEqual(five.map(() => "alive"));
});

it("delays its suspicions by its own stall", () => {
  const members = new FewMembers(["a", "b", "c"]);
  members.run(2000);
  members.stop("c");
  members.run(2500);
  expect(members.stateOf("c", "a")).toBe("suspect");
  // Both stand still; whoever wakes must not find that c's time has run out meanwhile.
  members.stop("a");
  members.stop("b");
  members.run(60_000);
  members.resume("a");
  members.resume("b");
  members.resume("c");
  members.run(10_000);
  expect(members.events("dead")).toEqual([]);
});

it("finds together again after a cut that lasted until both sides held each other for dead", () => {
  const members = new FewMembers(five);
  members.run(2000);
  for (const one of ["a", "b"]) {
    for (const other of ["c", "d", "e"]) {
      members.cut(one, other);
      members.cut(other, one);
    }
  }
  members.run(60_000);
  expect(members.stateOf("c", "a")).toBe("dead");
  expect(members.stateOf("a", "c")).toBe("dead");
  expect(members.stateOf("b", "a")).toBe("alive");
  members.mend();
  members.run(15_000);
  for (const on of five) {
    expect(five.map((name) => members.stateOf(name, on))).toEqual(five.map(() => "alive"));
  }
});

it("does not hold a stopped half of the cluster against the other half for ever", () => {
  const members = new FewMembers(five);
  members.run(2000);
  for (const name of ["c", "d", "e"]) members.stop(name);
  members.run(60_000);
  expect(members.machine("a").peers()).toEqual(["b"]);
  for (const name of ["c", "d", "e"]) members.resume(name);
  members.run(15_000);
  expect(members.machine("a").peers().toSorted()).toEqual(["b", "c", "d", "e"]);
});

it("knows a member that went of its own accord from one that died", () => {
  const members = new FewMembers(five);
  members.run(2000);
  members.machine("e").leave(members.now);
  members.run(1);
  members.stop("e");
  members.run(10_000);
  expect(five.slice(0, 4).map((name) => members.stateOf("e", name))).toEqual(
    five.slice(0, 4).map(() => "left"),
  );
  expect(members.events("suspected")).toEqual([]);
  members.start("e");
  members.run(500);
  expect(five.map((name) => members.stateOf("e", name))).toEqual(five.map(() => "alive"));
});

it("finds who it takes for gone, and who takes it for gone, of their own accord", () => {
  const members = new FewMembers(["a", "b", "c"]);
  members.run(2000);
  members.stop("c");
  for (const [one, other] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const left = {
      id: other as NodeId,
      state: "left" as const,
      incarnation: 9,
      by: other as NodeId,
    };
    const header = { from: "c" as NodeId, to: one as NodeId, incarnation: 0, epoch: 1 };
    const message = { ...header, news: [{ ...left, ageMs: 0 }], body: { kind: "gossip" } } as const;
    members.machine(one).receive(message, members.now);
  }
  expect([members.stateOf("a", "b"), members.stateOf("b", "a")]).toEqual(["left", "left"]);
  members.run(30_000);
  expect([members.stateOf("a", "b"), members.stateOf("b", "a")]).toEqual(["alive", "alive"]);
});

it("takes a restarted member back at once, under a later incarnation", () => {
  const members = new FewMembers(five);
  members.run(2000);
  members.stop("e");
  members.run(30_000);
  expect(members.stateOf("e", "a")).toBe("dead");
  members.start("e");
  members.run(500);
  expect(five.map((name) => members.stateOf("e", name))).toEqual(five.map(() => "alive"));
  expect(new Set(five.map((name) => members.machine(name).digest)).size).toBe(1);
});

it("holds who comes back again and again as a suspect for longer each time", () => {
  const members = new FewMembers(["a", "b", "c"]);
  members.run(2000);
  const held: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    members.stop("c");
    members.run(2000);
    members.resume("c");
    const resumedAt = members.now;
    while (members.stateOf("c", "a") !== "alive") members.run(100);
    held.push(members.now - resumedAt);
  }
  expect(held.slice(0, 3).every((ms) => ms < 1000)).toBe(true);
  expect(held.at(-1)).toBeGreaterThan(8000);
  expect(members.events("dead")).toEqual([]);
});

it("probes at once whom something else cast doubt on", () => {
  const members = new FewMembers(five, { probeIntervalMs: 60_000 });
  members.run(2000);
  members.stop("b");
  members.machine("a").doubt("b" as NodeId, members.now);
  members.run(1000);
  expect(members.stateOf("b", "a")).toBe("suspect");
});

it("doubts itself when nobody answers, and so takes its time to accuse all the others", () => {
  const members = new FewMembers(five);
  members.run(2000);
  members.cutOff("a");
  members.run(4000);
  expect(members.machine("a").localHealth).toBe(8);
  expect(members.machine("b").localHealth).toBe(0);
});

it("leaves out of its probes who is dead, but asks now and then", () => {
  const members = new FewMembers(["a", "b", "c"]);
  members.run(2000);
  members.cutOff("c");
  members.run(20_000);
  members.sent.length = 0;
  members.run(20_000);
  const pings = members.sent.filter(({ from, to }) => from === "a" && to === "c");
  expect(pings.length).toBeGreaterThanOrEqual(9);
  expect(pings.length).toBeLessThanOrEqual(11);
});

it("says nothing but pings, answers and a comparison now and then while nothing changes", () => {
  const members = new FewMembers(five);
  members.run(5000);
  members.sent.length = 0;
  members.run(60_000);
  const kinds = new Set(members.sent.map(({ body }) => body.kind));
  expect([...kinds].toSorted()).toEqual(["ack", "compare", "ping"]);
  expect(members.sent.every(({ news }) => news.length === 0)).toBe(true);
});

it("ignores what is meant for another node at its address, and what strangers say", () => {
  const members = new FewMembers(["a", "b"]);
  const machine = members.machine("a");
  const header = { incarnation: 9, epoch: 1, news: [] };
  const ping = { kind: "ping", sequence: 1 } as const;
  machine.tick(0);
  machine.drain();
  machine.receive({ ...header, from: "b" as NodeId, to: "z" as NodeId, body: ping }, 1);
  machine.receive({ ...header, from: "z" as NodeId, to: "a" as NodeId, body: ping }, 1);
  machine.receive({ ...header, from: "a" as NodeId, to: "a" as NodeId, body: ping }, 1);
  expect(machine.drain()).toEqual({ messages: [], events: [] });
  expect(members.stateOf("b", "a")).toBe("unknown");
});
