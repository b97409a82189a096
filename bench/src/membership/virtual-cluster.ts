import {
  Membership,
  type MembershipEvent,
  type MembershipMessage,
  type MembershipSettings,
  type NodeId,
  type PeerAddress,
  membershipDefaults,
} from "@coterie/core";
import { seededDraw } from "../workload/random.ts";

export interface VirtualClusterOptions {
  readonly members: number;
  readonly seed: number;
  /** Of 1 000 messages. */
  readonly lossPerMille?: number;
  /** A message takes from 1 to this many milliseconds. */
  readonly latencyMsMax?: number;
  readonly settings?: MembershipSettings;
  readonly onEvent?: (at: number, event: MembershipEvent, now: number) => void;
  readonly onMessage?: (message: MembershipMessage) => void;
}

interface Randomness {
  below(bound: number): number;
}

interface VirtualMember {
  readonly machine: Membership;
  isDead: boolean;
  /** While it is paused nothing of it runs; messages wait as in a socket's buffer. */
  pausedUntil: number;
  backlog: MembershipMessage[];
}

/** What arrives within one millisecond: who gets it, and what. */
interface Slot {
  readonly receivers: number[];
  readonly messages: MembershipMessage[];
}

/** Longer than any message travels; a power of two. */
const slotCount = 64;

/** Members on virtual time, in steps of a millisecond: nothing but their machines and messages. */
export class VirtualCluster {
  readonly #members: readonly VirtualMember[];
  readonly #places = new Map<string, number>();
  readonly #random: Randomness;
  readonly #options: VirtualClusterOptions;
  readonly #lossPerMille: number;
  readonly #latencyMsMax: number;
  readonly #slots: readonly Slot[];
  /** Who ticks at which millisecond of the tick interval. */
  readonly #phases: readonly number[][];
  #paused: number[] = [];
  #now = 0;

  constructor(options: VirtualClusterOptions) {
    const { members: count, seed, settings = membershipDefaults } = options;
    this.#options = options;
    this.#lossPerMille = options.lossPerMille ?? 0;
    this.#latencyMsMax = options.latencyMsMax ?? 3;
    this.#random = randomness(seed);
    this.#slots = Array.from({ length: slotCount }, () => ({ receivers: [], messages: [] }));
    const known = Array.from({ length: count }, (_, at) => ({
      id: `node-${at + 1}` as NodeId,
      address: `10.0.${at >> 8}.${at & 255}:7403` as PeerAddress,
    }));
    this.#members = known.map((self, at) => {
      this.#places.set(self.id, at);
      const random = randomness(seed * 65_537 + at);
      const machine = new Membership({ self, settings, random });
      machine.admit(known, 1, 0);
      return { machine, isDead: false, pausedUntil: 0, backlog: [] };
    });
    const phases = Array.from({ length: settings.tickMs }, (): number[] => []);
    for (let at = 0; at < count; at += 1) phases[this.#random.below(settings.tickMs)]?.push(at);
    this.#phases = phases;
  }

  get now(): number {
    return this.#now;
  }

  get size(): number {
    return this.#members.length;
  }

  machine(at: number): Membership {
    return this.#member(at).machine;
  }

  place(id: NodeId): number {
    return this.#places.get(id) as number;
  }

  /** Nothing of this member runs any more. */
  kill(at: number): void {
    this.#member(at).isDead = true;
  }

  /** SIGSTOP, and SIGCONT after so long. */
  pause(at: number, ms: number): void {
    const member = this.#member(at);
    if (member.pausedUntil === 0) this.#paused.push(at);
    member.pausedUntil = Math.max(member.pausedUntil, this.#now + ms);
  }

  /** Runs for this much longer. */
  run(ms: number): void {
    const end = this.#now + ms;
    while (this.#now < end) {
      this.#now += 1;
      if (this.#paused.length > 0) this.#resume();
      this.#deliver();
      for (const at of this.#phases[this.#now % this.#phases.length] as number[]) this.#tick(at);
    }
  }

  #tick(at: number): void {
    const member = this.#member(at);
    if (member.isDead || member.pausedUntil > 0) return;
    member.machine.tick(this.#now);
    this.#drain(at, member);
  }

  #deliver(): void {
    const slot = this.#slots[this.#now & (slotCount - 1)] as Slot;
    for (let index = 0; index < slot.receivers.length; index += 1) {
      const at = slot.receivers[index] as number;
      const member = this.#member(at);
      const message = slot.messages[index] as MembershipMessage;
      if (member.isDead) continue;
      if (member.pausedUntil > 0) member.backlog.push(message);
      else this.#receive(at, member, message);
    }
    slot.receivers.length = 0;
    slot.messages.length = 0;
  }

  #receive(at: number, member: VirtualMember, message: MembershipMessage): void {
    member.machine.receive(message, this.#now);
    this.#drain(at, member);
  }

  #resume(): void {
    for (const at of this.#paused) {
      const member = this.#member(at);
      if (this.#now < member.pausedUntil || member.isDead) continue;
      member.pausedUntil = 0;
      const { backlog } = member;
      member.backlog = [];
      for (const message of backlog) this.#receive(at, member, message);
    }
    this.#paused = this.#paused.filter((at) => this.#member(at).pausedUntil > 0);
  }

  #drain(at: number, { machine }: VirtualMember): void {
    const { messages, events } = machine.drain();
    for (const message of messages) {
      this.#options.onMessage?.(message);
      if (this.#lossPerMille > 0 && this.#random.below(1000) < this.#lossPerMille) continue;
      const delay = 1 + this.#random.below(this.#latencyMsMax);
      const slot = this.#slots[(this.#now + delay) & (slotCount - 1)] as Slot;
      slot.receivers.push(this.#places.get(message.to) as number);
      slot.messages.push(message);
    }
    if (events.length === 0 || this.#options.onEvent === undefined) return;
    for (const event of events) this.#options.onEvent(at, event, this.#now);
  }

  #member(at: number): VirtualMember {
    return this.#members[at] as VirtualMember;
  }
}

export function randomness(seed: number): Randomness {
  const draw = seededDraw(seed);
  return { below: (bound) => Math.floor(draw() * bound) };
}
