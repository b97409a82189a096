import type { NodeId, PeerAddress } from "../../src/ids.ts";
import { type KnownMember, Membership } from "../../src/membership/membership.ts";
import type { MembershipEvent } from "../../src/membership/membership-event.ts";
import type { MembershipMessage } from "../../src/membership/messages.ts";
import type { MemberState } from "../../src/membership/member-status.ts";
import { type MembershipSettings, membershipDefaults } from "../../src/membership/settings.ts";

export interface LoggedEvent {
  readonly at: number;
  readonly on: string;
  readonly event: MembershipEvent;
}

/** A linear congruential generator (Knuth's MMIX constants, shortened): the same every time. */
export function sequenceOf(seed: number): { below(bound: number): number } {
  let state = BigInt(seed);
  return {
    below(bound) {
      state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
      return Number((state >> 33n) % BigInt(bound));
    },
  };
}

export function known(name: string): KnownMember {
  return { id: name as NodeId, address: `${name}:7403` as PeerAddress };
}

/** Machines joined by messages that take a millisecond; links can be cut and members stopped. */
export class FewMembers {
  readonly log: LoggedEvent[] = [];
  readonly sent: MembershipMessage[] = [];
  readonly #settings: MembershipSettings;
  readonly #names: readonly string[];
  readonly #machines = new Map<string, Membership>();
  readonly #stopped = new Set<string>();
  readonly #cut = new Set<string>();
  #flying: MembershipMessage[] = [];
  now = 0;

  constructor(names: readonly string[], settings: Partial<MembershipSettings> = {}) {
    this.#settings = { ...membershipDefaults, ...settings };
    this.#names = names;
    for (const name of names) this.start(name);
  }

  /** Starts a process, or another one after an end. */
  start(name: string): void {
    this.#stopped.delete(name);
    const random = sequenceOf(this.#names.indexOf(name) + 7 + this.now);
    const machine = new Membership({ self: known(name), settings: this.#settings, random });
    machine.admit(this.#names.map(known), 1, this.now);
    this.#machines.set(name, machine);
  }

  machine(name: string): Membership {
    return this.#machines.get(name) as Membership;
  }

  stateOf(name: string, on: string): MemberState | undefined {
    return this.machine(on)
      .members()
      .find(({ id }) => id === name)?.state;
  }

  /** Messages to it wait, as in the buffers of a process that was sent SIGSTOP. */
  stop(name: string): void {
    this.#stopped.add(name);
  }

  resume(name: string): void {
    this.#stopped.delete(name);
  }

  /** Nothing passes from one to the other until {@link mend}. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from} ${to}`);
  }

  cutOff(name: string): void {
    for (const other of this.#names) {
      this.cut(name, other);
      this.cut(other, name);
    }
  }

  mend(): void {
    this.#cut.clear();
  }

  events(kind: MembershipEvent["kind"], on?: string): LoggedEvent[] {
    return this.log.filter(({ event, on: who }) => event.kind === kind && (on ?? who) === who);
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 1;
      this.#deliver();
      for (const name of this.#names) {
        if (this.#stopped.has(name)) continue;
        if (this.now % this.#settings.tickMs === 0) this.machine(name).tick(this.now);
        this.#drain(name);
      }
    }
  }

  #deliver(): void {
    const flying = this.#flying;
    this.#flying = [];
    for (const message of flying) {
      if (this.#stopped.has(message.to)) this.#flying.push(message);
      else {
        this.machine(message.to).receive(message, this.now);
        this.#drain(message.to);
      }
    }
  }

  #drain(name: string): void {
    const { messages, events } = this.machine(name).drain();
    for (const message of messages) {
      this.sent.push(message);
      if (!this.#cut.has(`${message.from} ${message.to}`)) this.#flying.push(message);
    }
    for (const event of events) this.log.push({ at: this.now, on: name, event });
  }
}
