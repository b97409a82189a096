import type { ClusterDescription, DecodedPipeReply, KvRequest } from "@coterie/protocol";
import type { Attempt } from "./attempt.ts";
import type { Cancel, Clock } from "./clock.ts";
import {
  type LinkOptions,
  messageBytesFull,
  messageRequestsFull,
  messageRequestsShared,
} from "./link-options.ts";
import type { Random } from "./random.ts";
import type { PipeStream, Transport } from "./transport.ts";
import { UsualSilence } from "./usual-silence.ts";

export interface NodeLinkInput {
  readonly address: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly options: LinkOptions;
  /** The node can be reached, for the first time or again. */
  readonly onOpen: (link: NodeLink) => void;
  readonly onBroken: (link: NodeLink, reason: string) => void;
}

/** How willing a node seems: `good` ones are asked first, `broken` ones not at all. */
export type Health = "good" | "doubtful" | "broken";

/** Silence is unusual when it lasts so many times longer than it does. */
const unusualFactor = 4;
const idCount = 2 ** 32;
const cancel: KvRequest = { kind: "cancel" };

/**
 * All operations with one node, and the stream that carries them:
 *
 *     idle ──an operation──▶ connecting ──the node answers──▶ open ──a minute unused──▶ idle
 *     connecting, open ──the stream breaks──▶ broken ──an attempt succeeds──▶ open
 *     broken ──nobody asks for a minute──▶ idle          any ──close()──▶ closed
 *
 * The operations of one turn make one message. While connecting they wait; while broken none may
 * be sent, so that a call turns to another node at once.
 */
export class NodeLink {
  readonly address: string;
  readonly #input: NodeLinkInput;
  readonly #clock: Clock;
  readonly #options: LinkOptions;
  /** Handed to the stream, by id. */
  readonly #pending = new Map<number, Attempt>();
  /** Not yet handed to the stream, in order. */
  #waiting: Attempt[] = [];
  #bytesWaiting = 0;
  /** Given up after they were sent. */
  #cancelled: number[] = [];
  #state: "idle" | "connecting" | "open" | "broken" | "closed" = "idle";
  #stream: PipeStream | undefined;
  #lastId = 0;
  #operations = 0;
  #bytes = 0;
  #isFlushScheduled = false;
  #lastWantedMs: number;
  #lastHeardMs = 0;
  /** Since when something that must be answered is not; `undefined`: nothing is. */
  #unheardSinceMs: number | undefined;
  readonly #silence = new UsualSilence();
  #avoidUntilMs = 0;
  #failures = 0;
  #brokenReason = "";
  #cancelTimer: Cancel = () => {};

  constructor(input: NodeLinkInput) {
    this.address = input.address;
    this.#input = input;
    this.#clock = input.clock;
    this.#options = input.options;
    this.#lastWantedMs = input.clock.monotonicMs();
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Operations sent or about to be sent, and not yet answered. */
  get operations(): number {
    return this.#operations;
  }

  /** A message to the node is being made, and one more request in it costs little. */
  get isGathering(): boolean {
    const { length } = this.#waiting;
    const isSmall = length < messageRequestsShared && this.#bytesWaiting < messageBytesFull;
    return this.#isFlushScheduled && length > 0 && isSmall;
  }

  /** Why it broke last; empty if it never did. */
  get brokenReason(): string {
    return this.#brokenReason;
  }

  health(nowMs: number): Health {
    if (this.#state === "broken" || this.#state === "closed") return "broken";
    const isSilent = this.#unheardSinceMs !== undefined && nowMs >= this.doubtfulAtMs(nowMs);
    return isSilent || nowMs < this.#avoidUntilMs ? "doubtful" : "good";
  }

  /** When the node is doubted, if it says nothing more from now on to what is asked now. */
  doubtfulAtMs(nowMs: number): number {
    const { suspectMsMax, suspectMsMin } = this.#options;
    const usualMs = this.#silence.usualMs ?? suspectMsMax;
    const silentMs = Math.min(suspectMsMax, Math.max(suspectMsMin, usualMs * unusualFactor));
    return (this.#unheardSinceMs ?? nowMs) + silentMs;
  }

  /** Others are asked first for a while: the node said that it does not serve. */
  avoid(untilMs: number): void {
    this.#avoidUntilMs = untilMs;
  }

  /** Somebody would use this node: opens it, or goes on trying to. */
  want(): void {
    this.#lastWantedMs = this.#clock.monotonicMs();
    if (this.#state === "idle") this.#connect("connecting");
  }

  /** False if there is no room for it: then nothing happened. */
  send(attempt: Attempt): boolean {
    const { operationsMax, bytesMax } = this.#options;
    const unsent = this.#stream?.bytesUnsent ?? 0;
    if (this.#operations >= operationsMax) return false;
    // One that is larger than the bound may still travel alone.
    const bytes = Math.max(this.#bytes, unsent);
    if (bytes > 0 && bytes + attempt.bytes > bytesMax) return false;
    this.#operations += 1;
    this.#bytes += attempt.bytes;
    this.#waiting.push(attempt);
    this.#bytesWaiting += attempt.bytes;
    this.want();
    if (this.#state === "open") this.#scheduleFlush();
    return true;
  }

  /** Nobody waits for it any more: it is not sent, or the node is told. */
  cancel(attempt: Attempt): void {
    if (attempt.isCancelled) return;
    attempt.isCancelled = true;
    if (attempt.id === 0) this.#forget(attempt);
    else if (this.#pending.delete(attempt.id)) {
      this.#forget(attempt);
      this.#cancelled.push(attempt.id);
      this.#scheduleFlush();
    }
  }

  /** Asks the node for the layout of its cluster, if it is connected. */
  describe(settle: (layout: ClusterDescription | undefined) => void): void {
    this.#stream?.describe(settle);
  }

  /** Settles what waits, and ends the stream. */
  close(): void {
    if (this.#state === "closed") return;
    const stream = this.#stream;
    const isQuiet = this.#pending.size === 0 && this.#state === "open";
    this.#stopped("closed", "the client was closed");
    if (isQuiet) stream?.end();
    else stream?.destroy();
  }

  #forget(attempt: Attempt): void {
    this.#operations -= 1;
    this.#bytes -= attempt.bytes;
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.#clock.afterTurn(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const stream = this.#stream;
    if (this.#state !== "open" || stream === undefined) return;
    const now = this.#clock.monotonicMs();
    const waiting = this.#takeWaiting();
    let requests = 0;
    let bytes = 0;
    const sendIfFull = (isFull: boolean): void => {
      if (!isFull || requests === 0) return;
      stream.flush();
      requests = 0;
      bytes = 0;
    };
    for (const id of this.#cancelled) {
      bytes += stream.add(id, cancel);
      requests += 1;
      sendIfFull(requests >= messageRequestsFull);
    }
    this.#cancelled = [];
    for (const attempt of waiting) {
      if (attempt.isCancelled) continue;
      const isLarge = attempt.bytes >= messageBytesFull;
      // A large one travels alone, so that a message's limit is that of one operation.
      sendIfFull(isLarge);
      bytes += stream.add(this.#register(attempt, now), attempt.request);
      requests += 1;
      sendIfFull(isLarge || requests >= messageRequestsFull || bytes >= messageBytesFull);
    }
    sendIfFull(true);
    if (this.#pending.size > 0) this.#unheardSinceMs ??= now;
  }

  #takeWaiting(): readonly Attempt[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytesWaiting = 0;
    return waiting;
  }

  #register(attempt: Attempt, nowMs: number): number {
    // Ids of a Pipe begin with 1.
    do this.#lastId = (this.#lastId + 1) % idCount;
    while (this.#lastId === 0 || this.#pending.has(this.#lastId));
    attempt.id = this.#lastId;
    const { request } = attempt;
    if (request.kind !== "scan") {
      request.timeoutMs = Math.max(1, Math.ceil(attempt.deadlineMs - nowMs));
    }
    this.#pending.set(attempt.id, attempt);
    return attempt.id;
  }

  #connect(state: "connecting" | "broken"): void {
    this.#state = state;
    this.#unheardSinceMs = this.#clock.monotonicMs();
    const { address, transport } = this.#input;
    const stream = transport.open(address, {
      onOpen: () => this.#stream === stream && this.#opened(),
      onReplies: (replies) => this.#stream === stream && this.#receive(replies),
      onBroken: (reason) => this.#stream === stream && this.#broke(reason),
    });
    this.#stream = stream;
  }

  #opened(): void {
    this.#state = "open";
    this.#heard();
    this.#flush();
    this.#tickLater();
    this.#input.onOpen(this);
  }

  #heard(): void {
    this.#lastHeardMs = this.#clock.monotonicMs();
    if (this.#unheardSinceMs !== undefined) {
      this.#silence.observe(this.#lastHeardMs - this.#unheardSinceMs);
    }
    this.#unheardSinceMs = undefined;
  }

  #receive(replies: readonly DecodedPipeReply[]): void {
    this.#heard();
    this.#failures = 0;
    for (const { id, reply } of replies) {
      const attempt = this.#pending.get(id);
      // None: it was given up, and the answer and our Cancel crossed.
      if (attempt === undefined) continue;
      this.#pending.delete(id);
      this.#forget(attempt);
      attempt.replied(reply);
    }
    if (this.#pending.size > 0) this.#unheardSinceMs ??= this.#lastHeardMs;
  }

  #tickLater(): void {
    const at = this.#clock.monotonicMs() + this.#options.probeMs;
    this.#cancelTimer = this.#clock.at(at, () => this.#tick());
  }

  /** Ends what is unused, cuts what is silent, asks for a sign of life. */
  #tick(): void {
    const now = this.#clock.monotonicMs();
    const { idleMs, keepaliveMs, probeMs, silenceMs } = this.#options;
    const sinceMs = this.#unheardSinceMs;
    if (sinceMs !== undefined && now - sinceMs >= silenceMs) {
      this.#stream?.destroy();
      this.#broke(`the node said nothing for ${Math.round(now - sinceMs)} ms`);
      return;
    }
    if (this.#operations === 0 && now - this.#lastWantedMs >= idleMs) {
      const stream = this.#stream;
      this.#stopped("idle", "");
      stream?.end();
      return;
    }
    const quietMs = now - this.#lastHeardMs;
    if (quietMs >= keepaliveMs || (sinceMs !== undefined && quietMs >= probeMs)) {
      this.#stream?.flush();
      this.#unheardSinceMs ??= now;
    }
    this.#tickLater();
  }

  #broke(reason: string): void {
    const { backoffMsMax, backoffMsMin } = this.#options;
    this.#brokenReason = reason;
    const pauseMs = Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    // From half to all of it: clients that lost a node together return apart.
    const jitteredMs = pauseMs * (0.5 + this.#input.random.fraction() / 2);
    const at = this.#clock.monotonicMs() + jitteredMs;
    this.#stopped("broken", reason);
    this.#cancelTimer = this.#clock.at(at, () => this.#retry());
    this.#input.onBroken(this, reason);
  }

  #retry(): void {
    const unwantedMs = this.#clock.monotonicMs() - this.#lastWantedMs;
    if (unwantedMs >= this.#options.idleMs) this.#state = "idle";
    else this.#connect("broken");
  }

  /** The stream is gone: everything that waited on it learns so. */
  #stopped(state: "idle" | "broken" | "closed", reason: string): void {
    this.#state = state;
    this.#stream = undefined;
    this.#cancelTimer();
    this.#unheardSinceMs = undefined;
    this.#cancelled = [];
    const waiting = this.#takeWaiting();
    const sent = [...this.#pending.values()];
    this.#pending.clear();
    this.#operations = 0;
    this.#bytes = 0;
    for (const attempt of sent) attempt.lost(reason);
    for (const attempt of waiting) if (!attempt.isCancelled) attempt.unsent(reason);
  }
}
