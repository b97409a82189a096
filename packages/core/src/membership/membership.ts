import type { NodeId, PeerAddress } from "../ids.ts";
import { FlapDamping } from "./flap-damping.ts";
import { LocalHealth } from "./local-health.ts";
import { type MemberStatus, stateOf, statusOf } from "./member-status.ts";
import { type MemberRecord, MemberTable, type RandomSource, isDown } from "./member-table.ts";
import type { MembershipEvent } from "./membership-event.ts";
import type { MembershipMessage, MessageBody } from "./messages.ts";
import { type News, compareNews, incarnationMax, wholeMs } from "./news.ts";
import { NewsQueue } from "./news-queue.ts";
import { Prober } from "./prober.ts";
import { type MembershipSettings, growth } from "./settings.ts";
import { Suspicion } from "./suspicion.ts";

/** A member as the cluster document has it. */
export interface KnownMember {
  readonly id: NodeId;
  readonly address: PeerAddress;
}

export interface MembershipInput {
  readonly self: KnownMember;
  readonly settings: MembershipSettings;
  readonly random: RandomSource;
}

/** What there is to send, and what has changed, since the last {@link Membership.drain}. */
export interface MembershipOutput {
  readonly messages: readonly MembershipMessage[];
  readonly events: readonly MembershipEvent[];
}

export interface MembershipCounts {
  readonly probes: number;
  readonly indirectProbes: number;
  readonly failedProbes: number;
  readonly suspicions: number;
  readonly deaths: number;
  readonly refutations: number;
  readonly stalls: number;
  readonly sent: number;
  readonly received: number;
}

/** Members told at once that this node has started. */
const greeted = 3;
/** Table entries in one message: at most some 40 KB of names. */
const entriesMax = 256;
/** News kept of members that only a newer document names. */
const parkedMax = 1024;

/**
 * Who is there: SWIM (Das et al., DSN 2002) with Lifeguard (Dadgar et al., DSN-W 2018). A machine
 * without clock or network: the shell calls {@link tick} every `tickMs` and {@link receive} for
 * each message, and then sends what {@link drain} has.
 *
 *                 a probe failed, here or elsewhere
 *     alive ──────────────────────────────────────────▶ suspect ──nobody refuted in time──▶ dead
 *       ▲ ◀──────── refuted, by a higher incarnation ──────┘                                │
 *       ├──────── a higher incarnation, when it is told that it is held for dead ────────────┘
 *       └──(restarts)── left ◀── says that it goes
 *
 * Who is a member is not gossiped: {@link admit} says so, from the cluster document. Gossip only
 * tells how members are, and nobody appears, or returns after removal, by gossip.
 */
export class Membership {
  readonly #settings: MembershipSettings;
  readonly #table: MemberTable;
  readonly #health = new LocalHealth();
  readonly #news: NewsQueue;
  readonly #prober: Prober;
  readonly #random: RandomSource;
  readonly #suspects = new Set<MemberRecord>();
  /** Dead, or left: asked now and then, or two that take each other for gone would for ever. */
  readonly #gone = new Set<MemberRecord>();
  readonly #held = new Set<MemberRecord>();
  readonly #parked = new Map<NodeId, News>();
  #messages: MembershipMessage[] = [];
  #events: MembershipEvent[] = [];
  #epoch = 0;
  #epochHeard = 0;
  #startedAt: number | undefined;
  #lastTickAt = 0;
  #now = 0;
  #nextGossipAt = 0;
  #nextCompareAt = 0;
  #nextRevivalAt = 0;
  #suspicions = 0;
  #deaths = 0;
  #refutations = 0;
  #stalls = 0;
  #sent = 0;
  #received = 0;

  constructor({ self, settings, random }: MembershipInput) {
    this.#settings = settings;
    this.#random = random;
    this.#table = new MemberTable(self.id, self.address, random);
    this.#news = new NewsQueue(settings.newsBytesMax);
    this.#prober = new Prober({
      settings,
      table: this.#table,
      health: this.#health,
      send: (to, body, now) => this.#send(to, body, now),
      onFailed: (target, now) => this.#accuse(target, now),
    });
  }

  /** Takes the members from a cluster document, unless a newer one was taken before. */
  admit(members: readonly KnownMember[], epoch: number, now: number): void {
    if (epoch <= this.#epoch && this.#table.size > 1) return;
    this.#epoch = epoch;
    this.#epochHeard = Math.max(this.#epochHeard, epoch);
    const ids = new Set(members.map(({ id }) => id));
    for (const record of this.#table.others()) if (!ids.has(record.id)) this.#remove(record);
    for (const { id, address } of members) {
      const record = this.#table.get(id);
      if (record !== undefined) record.address = address;
      else this.#table.add(id, address).since = now;
    }
    for (const news of this.#parked.values()) this.#learn(news, now);
    this.#parked.clear();
  }

  /** Probes, times out, gossips. */
  tick(now: number): void {
    if (this.#startedAt === undefined) this.#start(now);
    this.#observe(now);
    this.#lastTickAt = now;
    this.#prober.tick(now);
    if (this.#suspects.size > 0) this.#endSuspicions(now);
    if (this.#held.size > 0) this.#endHolds(now);
    if (now >= this.#nextGossipAt && this.#news.size > 0) this.#gossip(now);
    if (now >= this.#nextCompareAt) this.#compare(1, now);
    if (now >= this.#nextRevivalAt && this.#gone.size > 0) this.#tryRevival(now);
  }

  receive(message: MembershipMessage, now: number): void {
    if (this.#startedAt === undefined) this.#start(now);
    this.#observe(now);
    this.#received += 1;
    const sender = this.#table.get(message.from);
    const self = this.#table.self;
    if (message.epoch > this.#epochHeard && message.from !== self.id) {
      this.#epochHeard = message.epoch;
      this.#events.push({ kind: "behind", id: message.from, epoch: message.epoch });
    }
    // Addresses outlive nodes: what is meant for another, or of a removed member, is not for us.
    if (message.to !== self.id || sender === undefined || sender === self) return;
    this.#hearFrom(sender, message.incarnation, now);
    for (const news of message.news) this.#learnOrPark(news, message.epoch, now);
    this.#answer(sender, message, now);
  }

  /** Something else than a probe suggests that this member is gone: it is probed now. */
  doubt(id: NodeId, now: number): void {
    const record = this.#table.get(id);
    if (record === undefined || record === this.#table.self || isDown(record)) return;
    this.#prober.probe(record, now);
  }

  /** A ping for the caller to send, of which nothing here depends; `undefined` for strangers. */
  pingOf(id: NodeId, now: number): MembershipMessage | undefined {
    const record = this.#table.get(id);
    if (record === undefined || record === this.#table.self) return undefined;
    return this.#compose(record, { kind: "ping", sequence: 0 }, tellingOf(record, [], now));
  }

  /** Tells the others that this node goes of its own accord; the shell sends it and stops. */
  leave(now: number): void {
    const { self } = this.#table;
    this.#table.set(self, { state: "left", incarnation: self.incarnation, by: self.id }, now);
    this.#news.add(newsOf(self, now), now);
    this.#gossip(now);
  }

  drain(): MembershipOutput {
    const output = { messages: this.#messages, events: this.#events };
    if (this.#messages.length > 0) this.#messages = [];
    if (this.#events.length > 0) this.#events = [];
    return output;
  }

  get self(): NodeId {
    return this.#table.self.id;
  }

  /** Where to send what is for this member; `undefined` for strangers. */
  addressOf(id: NodeId): PeerAddress | undefined {
    return this.#table.get(id)?.address;
  }

  /** Everybody, this node included, in the order of their ids. */
  members(): readonly MemberStatus[] {
    const { self } = this.#table;
    return [...this.#table.records()]
      .map((record) => statusOf(record, self, this.#now))
      .toSorted((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** The others that are there, as far as anybody knows: neither dead nor gone. */
  peers(): readonly NodeId[] {
    return this.#table
      .others()
      .filter((record) => !isDown(record))
      .map(({ id }) => id);
  }

  /** One of {@link peers}, or `undefined` when there is none. */
  randomPeer(): NodeId | undefined {
    return this.#table.choose(1, (record) => !isDown(record))[0]?.id;
  }

  /** False for who is suspected, dead or gone; a stranger is not judged. */
  isHealthy(id: NodeId): boolean {
    const record = this.#table.get(id);
    if (record === undefined) return true;
    const state = stateOf(record, this.#now);
    return state === "alive" || state === "unknown";
  }

  /** 0 when this node has no reason to doubt itself, 8 at most. */
  get localHealth(): number {
    return this.#health.score;
  }

  /** Equal for nodes that agree on who is there. */
  get digest(): number {
    return this.#table.digest;
  }

  get counts(): MembershipCounts {
    const { begun, indirect, failed } = this.#prober.counts;
    return {
      probes: begun,
      indirectProbes: indirect,
      failedProbes: failed,
      suspicions: this.#suspicions,
      deaths: this.#deaths,
      refutations: this.#refutations,
      stalls: this.#stalls,
      sent: this.#sent,
      received: this.#received,
    };
  }

  #start(now: number): void {
    const { probeIntervalMs } = this.#settings;
    this.#startedAt = now;
    this.#lastTickAt = now;
    this.#table.self.since = now;
    // Nodes that start together do not go on in step.
    this.#prober.startAt(now + this.#random.below(probeIntervalMs));
    // Who held this node for dead, or knows of an earlier life of it, says so now.
    this.#compare(greeted, now);
  }

  /** A process that stood still could not hear anybody: what waited for others waits on. */
  #observe(now: number): void {
    this.#now = now;
    const lateMs = now - this.#lastTickAt - this.#settings.tickMs;
    if (lateMs < this.#settings.stallMs) return;
    this.#lastTickAt = now - this.#settings.tickMs;
    this.#stalls += 1;
    this.#events.push({ kind: "stalled", ms: lateMs });
    // Alone, it would never learn that it is well again.
    if (this.#table.size > 1) this.#health.worsen(1);
    this.#prober.restart(now);
    for (const { suspicion } of this.#suspects) suspicion?.delay(lateMs);
  }

  #hearFrom(sender: MemberRecord, incarnation: number, now: number): void {
    sender.isOutdated = incarnation < sender.incarnation;
    this.#noteHeard(sender);
    if (incarnation > sender.incarnation) {
      this.#learn({ id: sender.id, state: "alive", incarnation, by: sender.id, ageMs: 0 }, now);
    }
  }

  #noteHeard(record: MemberRecord): void {
    if (record.isHeard) return;
    record.isHeard = true;
    if (record.state !== "alive") return;
    const { id, incarnation } = record;
    this.#events.push({ kind: "alive", id, incarnation, was: "unknown" });
  }

  #answer(sender: MemberRecord, { body, epoch }: MembershipMessage, now: number): void {
    switch (body.kind) {
      case "ping":
        return this.#send(sender, { kind: "ack", sequence: body.sequence }, now);
      case "ping-request": {
        const target = this.#table.get(body.target);
        if (target === undefined || target === this.#table.self) return;
        return this.#prober.relay(sender.id, body.sequence, target, now);
      }
      case "ack":
        return this.#prober.receiveAck(sender.id, body.sequence, now);
      case "nack":
        return this.#prober.receiveNack(body.sequence);
      case "gossip":
        // It cannot know what it is taken for, or it would have refuted it.
        if (isDown(sender) || sender.isOutdated) this.#send(sender, { kind: "gossip" }, now);
        return;
      case "compare":
        if (body.digest !== this.#table.digest) this.#sendTable(sender, now);
        return;
      case "table": {
        const newer = this.#merge(body.entries, epoch, now);
        if (!body.isQuestion || newer.length === 0) return;
        return this.#send(sender, { kind: "table", entries: newer, isQuestion: false }, now);
      }
    }
  }

  #learnOrPark(news: News, epoch: number, now: number): void {
    if (this.#table.get(news.id) !== undefined) this.#learn(news, now);
    else if (epoch > this.#epoch && this.#parked.size < parkedMax) this.#parked.set(news.id, news);
  }

  #learn(news: News, now: number): void {
    const record = this.#table.get(news.id);
    if (record === undefined || news.incarnation >= incarnationMax) return;
    if (record === this.#table.self) return this.#refute(news, now);
    const order = compareNews(news, record);
    if (order > 0) this.#apply(record, news, now);
    else if (order === 0 && record.suspicion?.confirm(news.by) === true) this.#news.add(news, now);
  }

  #apply(record: MemberRecord, news: News, now: number): void {
    const was = stateOf(record, now);
    record.isHeard = true;
    this.#table.set(record, news, now - news.ageMs);
    this.#news.add(news, now);
    const { id, incarnation, by } = news;
    if (news.state === "alive") return this.#applyAlive(record, was, now);
    record.heldUntil = 0;
    this.#held.delete(record);
    if (news.state === "suspect") {
      this.#gone.delete(record);
      this.#suspicions += 1;
      record.suspicion = this.#suspicionOf(news.by, now);
      this.#suspects.add(record);
      this.#events.push({ kind: "suspected", id, incarnation, by });
      return;
    }
    this.#endSuspicion(record);
    this.#prober.forget(record);
    this.#gone.add(record);
    if (news.state === "left") {
      this.#events.push({ kind: "left", id, incarnation });
      return;
    }
    this.#deaths += 1;
    const isSinceStart = news.ageMs <= now - (this.#startedAt ?? now);
    const ageMs = isSinceStart ? news.ageMs : undefined;
    this.#events.push({ kind: "dead", id, incarnation, by, ageMs });
  }

  #applyAlive(record: MemberRecord, was: MemberStatus["state"], now: number): void {
    this.#endSuspicion(record);
    this.#gone.delete(record);
    if (was === "alive") return;
    if (was !== "unknown") {
      record.damping ??= new FlapDamping();
      record.heldUntil = Math.max(record.heldUntil, now + record.damping.noteReturn(now));
    }
    if (record.heldUntil > now) this.#held.add(record);
    else {
      const { id, incarnation } = record;
      this.#events.push({ kind: "alive", id, incarnation, was });
    }
  }

  #endSuspicion(record: MemberRecord): void {
    record.suspicion = undefined;
    this.#suspects.delete(record);
  }

  #endHolds(now: number): void {
    for (const record of this.#held) {
      if (now < record.heldUntil) continue;
      this.#held.delete(record);
      const { id, incarnation } = record;
      this.#events.push({ kind: "alive", id, incarnation, was: "suspect" });
    }
  }

  /** Nobody else speaks for this node: what is said of it is overridden by a higher incarnation. */
  #refute(news: News, now: number): void {
    const { self } = this.#table;
    if (compareNews(news, self) <= 0) return;
    const incarnation = news.incarnation + 1;
    this.#table.set(self, { state: self.state, incarnation, by: self.id }, self.since);
    this.#news.add(newsOf(self, now), now);
    if (news.state === "alive" || news.state === "left") return;
    this.#refutations += 1;
    this.#health.worsen(1);
    this.#events.push({ kind: "refuted", state: news.state, by: news.by, incarnation });
  }

  #accuse(target: MemberRecord, now: number): void {
    if (!isDown(target)) this.#declare(target, "suspect", now);
  }

  #endSuspicions(now: number): void {
    for (const record of this.#suspects) {
      const suspicion = record.suspicion as Suspicion;
      if (now >= suspicion.deadline) this.#declare(record, "dead", now);
      else if (suspicion.takeQuestion(now)) this.#ask(record, now);
    }
  }

  #declare({ id, incarnation }: MemberRecord, state: "suspect" | "dead", now: number): void {
    this.#learn({ id, state, incarnation, by: this.#table.self.id, ageMs: 0 }, now);
  }

  #suspicionOf(accuser: NodeId, now: number): Suspicion {
    const { suspicionMs, suspicionFactorMax, indirectProbes } = this.#settings;
    const msMin = suspicionMs * growth(this.#table.size) * this.#health.multiplier;
    const msMax = msMin * suspicionFactorMax;
    const isCrowd = this.#table.size >= indirectProbes + 2;
    const expected = isCrowd ? indirectProbes : 0;
    return new Suspicion({ msMin, msMax, expected }, accuser, now);
  }

  #gossip(now: number): void {
    this.#nextGossipAt = now + this.#settings.gossipIntervalMs;
    const targets = this.#table.choose(this.#settings.gossipFanout, (record) => !isDown(record));
    if (targets.length === 0) return;
    const news = this.#takeNews(targets.length, now);
    for (const target of targets) this.#post(target, { kind: "gossip" }, news);
  }

  #compare(count: number, now: number): void {
    const { compareMsMin, compareMsMax } = this.#settings;
    this.#nextCompareAt = now + compareMsMin + this.#random.below(compareMsMax - compareMsMin + 1);
    // Whoever could not fetch the newer document is reminded.
    this.#epochHeard = this.#epoch;
    const peers = this.#table.choose(count, (record) => !isDown(record));
    const { digest } = this.#table;
    for (const peer of peers) this.#send(peer, { kind: "compare", digest }, now);
  }

  /** Without this, two halves of a cut cluster would hold each other for dead for ever. */
  #tryRevival(now: number): void {
    this.#nextRevivalAt = now + this.#settings.revivalMs;
    const gone = [...this.#gone];
    const record = gone[this.#random.below(gone.length)] as MemberRecord;
    this.#ask(record, now);
  }

  /** Its answer matters for what it says of itself; nobody waits for it. */
  #ask(record: MemberRecord, now: number): void {
    this.#send(record, { kind: "ping", sequence: 0 }, now);
  }

  #sendTable(to: MemberRecord, now: number): void {
    const entries = [...this.#table.records()].map((record) => newsOf(record, now));
    for (let at = 0; at < entries.length; at += entriesMax) {
      const part = entries.slice(at, at + entriesMax);
      this.#send(to, { kind: "table", entries: part, isQuestion: true }, now);
    }
  }

  /** Takes what is newer in a part of another's table; what is newer here. */
  #merge(entries: readonly News[], epoch: number, now: number): readonly News[] {
    const newer: News[] = [];
    for (const news of entries) {
      this.#learnOrPark(news, epoch, now);
      const record = this.#table.get(news.id);
      if (record !== undefined && compareNews(record, news) > 0) newer.push(newsOf(record, now));
    }
    return newer;
  }

  #remove(record: MemberRecord): void {
    this.#endSuspicion(record);
    this.#gone.delete(record);
    this.#held.delete(record);
    this.#prober.forget(record);
    this.#news.forget(record.id);
    this.#table.remove(record);
  }

  #takeNews(copies: number, now: number): readonly News[] {
    if (this.#news.size === 0) return nothing;
    const timesMax = Math.ceil(this.#settings.retransmissions * Math.log(this.#table.size + 1));
    return this.#news.take(copies, timesMax, now);
  }

  #send(to: MemberRecord, body: MessageBody, now: number): void {
    const news = this.#takeNews(1, now);
    this.#post(to, body, tellingOf(to, news, now));
  }

  #post(to: MemberRecord, body: MessageBody, news: readonly News[]): void {
    this.#messages.push(this.#compose(to, body, news));
  }

  #compose(to: MemberRecord, body: MessageBody, news: readonly News[]): MembershipMessage {
    const { id: from, incarnation } = this.#table.self;
    this.#sent += 1;
    return { from, to: to.id, incarnation, epoch: this.#epoch, news, body };
  }
}

/** Whoever is accused hears of it first, whatever else the message says (Lifeguard's buddies). */
function tellingOf(to: MemberRecord, news: readonly News[], now: number): readonly News[] {
  const isTold = to.state === "alive" && !to.isOutdated;
  return isTold ? news : [newsOf(to, now), ...news];
}

const nothing: readonly News[] = [];

function newsOf({ id, state, incarnation, by, since }: MemberRecord, now: number): News {
  return { id, state, incarnation, by, ageMs: state === "dead" ? wholeMs(now - since) : 0 };
}
