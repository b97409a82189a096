import { expect, it } from "vitest";
import type { NodeId, PeerAddress } from "../../src/ids.ts";
import { Membership } from "../../src/membership/membership.ts";
import type { MembershipMessage } from "../../src/membership/messages.ts";
import type { GossipedState, News } from "../../src/membership/news.ts";
import { membershipDefaults } from "../../src/membership/settings.ts";
import { FewMembers, known, sequenceOf } from "./few-members.ts";

function machineOf(name: string, members: readonly string[], epoch = 1): Membership {
  const random = sequenceOf(1);
  const machine = new Membership({ self: known(name), settings: membershipDefaults, random });
  machine.admit(members.map(known), epoch, 0);
  return machine;
}

function stateIn(machine: Membership, id: string): string | undefined {
  return machine.members().find((member) => member.id === id)?.state;
}

function news(id: string, state: GossipedState, incarnation: number): News {
  return { id: id as NodeId, state, incarnation, by: "b" as NodeId, ageMs: 0 };
}

/** As b tells a. */
function tell(machine: Membership, told: readonly News[], epoch = 1): void {
  const names = { from: "b" as NodeId, to: "a" as NodeId };
  machine.receive({ ...names, incarnation: 0, epoch, news: told, body: { kind: "gossip" } }, 1);
}

it("behaviour 45: a new list holds the node itself, alive", () => {
  const members = machineOf("a", ["a"]).members();
  expect(members).toMatchObject([{ id: "a", isSelf: true, state: "alive", incarnation: 0 }]);
});

it("behaviour 46: the members of the cluster document are added, unknown at first", () => {
  const members = machineOf("a", ["a", "b", "c"]).members();
  expect(members.map(({ id, state }) => [id, state])).toEqual([
    ["a", "alive"],
    ["b", "unknown"],
    ["c", "unknown"],
  ]);
});

it("behaviour 47: a duplicate does not overwrite the address, a newer document does", () => {
  const machine = machineOf("a", ["a", "b"], 2);
  const moved = [known("a"), { id: "b" as NodeId, address: "elsewhere:1" as PeerAddress }];
  machine.admit(moved, 2, 1);
  machine.admit(moved, 1, 2);
  expect(machine.addressOf("b" as NodeId)).toBe("b:7403");
  machine.admit(moved, 3, 3);
  expect(machine.addressOf("b" as NodeId)).toBe("elsewhere:1");
});

it("behaviour 48: ticks advance what the node itself does: another probe each interval", () => {
  const machine = machineOf("a", ["a", "b"]);
  const sequences = new Set<number>();
  for (let now = 0; now < 4000; now += membershipDefaults.tickMs) {
    machine.tick(now);
    for (const { body } of machine.drain().messages) {
      // What is asked under 0 is no probe.
      if (body.kind === "ping" && body.sequence > 0) sequences.add(body.sequence);
    }
  }
  // Slower than every 400 ms: nobody answers, and the node doubts itself.
  expect([...sequences]).toEqual([1, 2, 3, 4, 5, 6]);
});

it.each([
  ["alive", 1, "suspect", 1, "suspect"],
  ["suspect", 1, "alive", 2, "alive"],
  ["suspect", 1, "dead", 1, "dead"],
  ["dead", 1, "alive", 2, "alive"],
  ["dead", 3, "left", 3, "left"],
  ["left", 3, "alive", 4, "alive"],
] as const)("behaviour 49: newer state wins: after %s@%i, %s@%i", (one, at, other, then, state) => {
  const machine = machineOf("a", ["a", "b", "c"]);
  tell(machine, [news("c", one, at)]);
  tell(machine, [news("c", other, then)]);
  expect(stateIn(machine, "c")).toBe(state);
});

it.each([
  ["suspect", 1, "alive", 1, "suspect"],
  ["alive", 2, "suspect", 1, "alive"],
  ["alive", 2, "dead", 1, "alive"],
  ["dead", 1, "alive", 1, "dead"],
  ["dead", 1, "suspect", 1, "dead"],
  ["left", 3, "dead", 3, "left"],
] as const)("behaviour 50: older is ignored: after %s@%i, %s@%i", (one, at, other, then, state) => {
  const machine = machineOf("a", ["a", "b", "c"]);
  tell(machine, [news("c", one, at)]);
  tell(machine, [news("c", other, then)]);
  expect(stateIn(machine, "c")).toBe(state);
});

it.each(["suspect", "dead", "left", "alive"] as const)(
  "behaviour 51: nobody overwrites the node itself: %s is refuted",
  (state) => {
    const machine = machineOf("a", ["a", "b"]);
    tell(machine, [news("a", state, 5)]);
    expect(machine.members()[0]).toMatchObject({ id: "a", state: "alive", incarnation: 6 });
    machine.tick(100);
    const told = machine.drain().messages.flatMap((message) => message.news);
    expect(told).toContainEqual({ id: "a", state: "alive", incarnation: 6, by: "a", ageMs: 0 });
  },
);

it("behaviour 52: a merge discovers nodes only with the document that names them", () => {
  const machine = machineOf("a", ["a", "b"]);
  tell(machine, [news("d", "alive", 7)]);
  expect(stateIn(machine, "d")).toBeUndefined();
  tell(machine, [news("d", "suspect", 8)], 2);
  expect(stateIn(machine, "d")).toBeUndefined();
  expect(machine.drain().events).toContainEqual({ kind: "behind", id: "b", epoch: 2 });
  machine.admit(["a", "b", "d"].map(known), 2, 2);
  expect(stateIn(machine, "d")).toBe("suspect");
  machine.admit(["a", "b"].map(known), 3, 3);
  tell(machine, [news("d", "alive", 9)], 3);
  expect(stateIn(machine, "d")).toBeUndefined();
});

it("behaviour 53: a node that answers is alive", () => {
  const members = new FewMembers(["a", "b"]);
  members.run(1000);
  expect(members.stateOf("b", "a")).toBe("alive");
});

it("behaviour 54: after silence it is suspected, then dead", () => {
  const members = new FewMembers(["a", "b", "c"]);
  members.run(2000);
  members.stop("c");
  members.run(2000);
  expect(members.stateOf("c", "a")).toBe("suspect");
  members.run(5000);
  expect(members.stateOf("c", "a")).toBe("dead");
  expect(members.stateOf("c", "b")).toBe("dead");
});

it("behaviour 55: views exclude the node itself and the dead", () => {
  const machine = machineOf("a", ["a", "b", "c", "d", "e"]);
  tell(machine, [news("c", "dead", 1), news("d", "suspect", 1), news("e", "left", 1)]);
  expect(machine.peers().toSorted()).toEqual(["b", "d"]);
});

it("behaviour 56: fresh news revive the dead", () => {
  const machine = machineOf("a", ["a", "b", "c"]);
  tell(machine, [news("c", "dead", 1)]);
  expect(machine.isHealthy("c" as NodeId)).toBe(false);
  tell(machine, [news("c", "alive", 2)]);
  expect(machine.peers()).toContain("c");
  expect(machine.isHealthy("c" as NodeId)).toBe(true);
});

it("behaviour 57: a random peer is never the node itself, and in time each of the others", () => {
  const machine = machineOf("a", ["a", "b", "c"]);
  const drawn = new Set(Array.from({ length: 100 }, () => machine.randomPeer()));
  expect(drawn).toEqual(new Set(["b", "c"]));
});

it("behaviour 58: alone, or with nobody alive, there is no random peer", () => {
  expect(machineOf("a", ["a"]).randomPeer()).toBeUndefined();
  const machine = machineOf("a", ["a", "b", "c"]);
  tell(machine, [news("b", "dead", 1), news("c", "left", 1)]);
  expect(machine.randomPeer()).toBeUndefined();
});

/** Delivers what is there to deliver, so often. */
function exchange(machines: readonly Membership[], rounds: number, now: number): void {
  const byName = new Map(machines.map((machine) => [machine.members().find(isSelf)?.id, machine]));
  for (let round = 0; round < rounds; round += 1) {
    const messages: MembershipMessage[] = machines.flatMap((one) => one.drain().messages);
    for (const message of messages) byName.get(message.to)?.receive(message, now);
  }
}

function isSelf(member: { readonly isSelf: boolean }): boolean {
  return member.isSelf;
}

it("behaviour 59: two nodes converge in one round trip", () => {
  const a = machineOf("a", ["a", "b", "x", "y"]);
  const b = machineOf("b", ["a", "b", "x", "y"]);
  a.tick(0);
  b.tick(0);
  const header = { incarnation: 0, epoch: 1, body: { kind: "gossip" } } as const;
  const [nameA, nameB, x, y] = ["a", "b", "x", "y"] as [NodeId, NodeId, NodeId, NodeId];
  a.receive({ ...header, from: x, to: nameA, news: [news("x", "alive", 4)] }, 1);
  b.receive({ ...header, from: y, to: nameB, news: [news("y", "dead", 2)] }, 1);
  expect(a.digest).not.toBe(b.digest);
  a.drain();
  b.drain();
  // The question, b's table, what is newer with a.
  const question = { kind: "compare", digest: a.digest } as const;
  b.receive({ ...header, from: nameA, to: nameB, news: [], body: question }, 2);
  exchange([a, b], 2, 3);
  expect(a.digest).toBe(b.digest);
  expect(stateIn(a, "y")).toBe("dead");
  expect(b.members().find(({ id }) => id === "x")).toMatchObject({ incarnation: 4 });
});

it("behaviour 60: a chain of three converges", () => {
  const members = new FewMembers(["a", "b", "c"]);
  members.cut("a", "c");
  members.cut("c", "a");
  members.run(2000);
  members.machine("a").leave(members.now);
  members.run(1);
  members.stop("a");
  members.run(1000);
  expect(members.stateOf("a", "c")).toBe("left");
  expect(members.machine("b").digest).toBe(members.machine("c").digest);
});
