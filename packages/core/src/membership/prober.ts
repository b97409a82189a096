import type { NodeId } from "../ids.ts";
import type { LocalHealth } from "./local-health.ts";
import { type MemberRecord, type MemberTable, isDown } from "./member-table.ts";
import type { MessageBody } from "./messages.ts";
import { RoundTrip } from "./round-trip.ts";
import type { MembershipSettings } from "./settings.ts";

export interface ProberInput {
  readonly settings: MembershipSettings;
  readonly table: MemberTable;
  readonly health: LocalHealth;
  readonly send: (to: MemberRecord, body: MessageBody, now: number) => void;
  /** Neither the target nor anybody asked for a second opinion had an answer from it. */
  readonly onFailed: (target: MemberRecord, now: number) => void;
}

interface Probe {
  readonly target: MemberRecord;
  sentAt: number;
  /** When others are asked, and the target once more. */
  indirectAt: number;
  failsAt: number;
  /** The ping was sent twice: nobody knows which one an answer is to. */
  isRepeated: boolean;
  helpers: number;
  nacks: number;
}

/** A ping that another member requested. */
interface Relay {
  readonly requester: NodeId;
  readonly sequence: number;
  readonly nackAt: number;
  readonly endsAt: number;
  isNacked: boolean;
}

/**
 * Probes one member after another, as SWIM does (section 4.1): a ping; without an answer, the same
 * by way of others; without an answer from them, failure. After Lifeguard (section IV.A) helpers
 * say when they have no answer, and a node that doubts itself takes longer over everything.
 */
export class Prober {
  readonly #input: ProberInput;
  readonly #probes = new Map<number, Probe>();
  readonly #relays = new Map<number, Relay>();
  #sequence = 0;
  #nextAt = 0;
  #begun = 0;
  #indirect = 0;
  #failed = 0;

  constructor(input: ProberInput) {
    this.#input = input;
  }

  /** Since the start: probes begun, those that needed others, those that failed. */
  get counts(): { readonly begun: number; readonly indirect: number; readonly failed: number } {
    return { begun: this.#begun, indirect: this.#indirect, failed: this.#failed };
  }

  startAt(now: number): void {
    this.#nextAt = now;
  }

  tick(now: number): void {
    if (now >= this.#nextAt) {
      const { health, settings, table } = this.#input;
      // From when it was due, so that lateness does not add up.
      const interval = settings.probeIntervalMs * health.multiplier;
      this.#nextAt = Math.max(this.#nextAt + interval, now);
      const target = table.nextToProbe();
      if (target !== undefined) this.#begin(target, now);
    }
    for (const [sequence, probe] of this.#probes) this.#advance(sequence, probe, now);
    for (const [sequence, relay] of this.#relays) this.#report(sequence, relay, now);
  }

  /** Probes this member now, unless that is under way. */
  probe(target: MemberRecord, now: number): void {
    for (const probe of this.#probes.values()) if (probe.target === target) return;
    this.#begin(target, now);
  }

  /** Pings on behalf of another member. */
  relay(requester: NodeId, sequence: number, target: MemberRecord, now: number): void {
    const { settings, send } = this.#input;
    this.#sequence += 1;
    this.#relays.set(this.#sequence, {
      requester,
      sequence,
      // The requester gives up probeTimeoutMs after its own ping, of which part has passed.
      nackAt: now + (settings.probeTimeoutMs - settings.pingTimeoutMsMax) / 2,
      endsAt: now + settings.probeTimeoutMs,
      isNacked: false,
    });
    send(target, { kind: "ping", sequence: this.#sequence }, now);
  }

  receiveAck(from: NodeId, sequence: number, now: number): void {
    const relay = this.#relays.get(sequence);
    if (relay !== undefined) {
      this.#relays.delete(sequence);
      this.#answer(relay, "ack", now);
      return;
    }
    const probe = this.#probes.get(sequence);
    if (probe === undefined) return;
    this.#probes.delete(sequence);
    this.#input.health.improve();
    if (from !== probe.target.id || probe.isRepeated) return;
    const ms = now - probe.sentAt;
    if (probe.target.roundTrip === undefined) probe.target.roundTrip = new RoundTrip(ms);
    else probe.target.roundTrip.add(ms);
  }

  receiveNack(sequence: number): void {
    const probe = this.#probes.get(sequence);
    if (probe !== undefined) probe.nacks += 1;
  }

  /** Everything under way begins again: this process stood still, and accuses nobody for it. */
  restart(now: number): void {
    for (const [sequence, probe] of this.#probes) {
      this.#setTimes(probe, now);
      probe.isRepeated = true;
      this.#input.send(probe.target, { kind: "ping", sequence }, now);
    }
    this.#relays.clear();
  }

  forget(target: MemberRecord): void {
    for (const [sequence, probe] of this.#probes) {
      if (probe.target === target) this.#probes.delete(sequence);
    }
  }

  #begin(target: MemberRecord, now: number): void {
    this.#sequence += 1;
    this.#begun += 1;
    const probe: Probe = {
      target,
      sentAt: now,
      indirectAt: 0,
      failsAt: 0,
      isRepeated: false,
      helpers: 0,
      nacks: 0,
    };
    this.#setTimes(probe, now);
    this.#probes.set(this.#sequence, probe);
    this.#input.send(target, { kind: "ping", sequence: this.#sequence }, now);
  }

  #setTimes(probe: Probe, now: number): void {
    const { settings, health } = this.#input;
    const { pingTimeoutMsMin, pingTimeoutMsMax, probeTimeoutMs } = settings;
    const expectedMs = probe.target.roundTrip?.timeoutMs ?? pingTimeoutMsMax;
    const pingMs = Math.min(pingTimeoutMsMax, Math.max(pingTimeoutMsMin, expectedMs));
    probe.sentAt = now;
    probe.indirectAt = now + pingMs * health.multiplier;
    probe.failsAt = now + probeTimeoutMs * health.multiplier;
  }

  #advance(sequence: number, probe: Probe, now: number): void {
    const { health, onFailed } = this.#input;
    if (now >= probe.failsAt) {
      this.#probes.delete(sequence);
      this.#failed += 1;
      onFailed(probe.target, now);
      // Helpers that do not even say that they have no answer: then it may be this node's link.
      health.worsen(probe.helpers > 0 ? Math.max(0, probe.helpers - probe.nacks) : 1);
    } else if (now >= probe.indirectAt) {
      probe.indirectAt = Infinity;
      this.#askOthers(sequence, probe, now);
    }
  }

  #askOthers(sequence: number, probe: Probe, now: number): void {
    const { settings, table, send } = this.#input;
    const { target } = probe;
    this.#indirect += 1;
    probe.isRepeated = true;
    const helpers = table.choose(
      settings.indirectProbes,
      (record) => record !== target && record.state === "alive",
    );
    probe.helpers = helpers.length;
    for (const helper of helpers) {
      send(helper, { kind: "ping-request", sequence, target: target.id }, now);
    }
    send(target, { kind: "ping", sequence }, now);
  }

  #report(sequence: number, relay: Relay, now: number): void {
    if (now >= relay.endsAt) this.#relays.delete(sequence);
    else if (now >= relay.nackAt && !relay.isNacked) {
      relay.isNacked = true;
      this.#answer(relay, "nack", now);
    }
  }

  #answer(relay: Relay, kind: "ack" | "nack", now: number): void {
    const requester = this.#input.table.get(relay.requester);
    if (requester === undefined || isDown(requester)) return;
    this.#input.send(requester, { kind, sequence: relay.sequence }, now);
  }
}
