import { type KvFailure, type KvReply, kvRequestSizeHint } from "@coterie/protocol";
import { CoterieError, type CoterieErrorInput, knownErrorCode, noAcks } from "../coterie-error.ts";
import type { Attempt, TimedRequest } from "./attempt.ts";
import type { NodeLink } from "./node-link.ts";
import type { Abortable, SignalListeners } from "./signal-listeners.ts";

/** What a call can be answered with. */
export type CallReply = Exclude<KvReply, KvFailure>;

/** Told exactly once how a call ended. */
export interface Settler {
  readonly done: (reply: CallReply) => void;
  readonly failed: (error: unknown) => void;
}

export interface CallInput extends Settler {
  readonly request: TimedRequest;
  readonly begunMs: number;
  readonly deadlineMs: number;
  readonly mayRetry: boolean;
  readonly mayHedge: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What a call asks of its engine. */
export interface CallHost {
  readonly signals: SignalListeners;
  /** The node answered the attempt, or `undefined`: in a way that is not understood. */
  onReply(attempt: CallAttempt, reply: KvReply | undefined): void;
  onUnsent(attempt: CallAttempt, reason: string): void;
  onLost(attempt: CallAttempt, reason: string): void;
  onAbort(call: Call, reason: unknown): void;
}

/**
 * One operation from its begin to its end: the attempts in flight, and what is known of those that
 * failed. What happens next is decided by the engine.
 */
export class Call implements Abortable {
  readonly request: TimedRequest;
  readonly isWrite: boolean;
  readonly bytes: number;
  readonly begunMs: number;
  readonly deadlineMs: number;
  readonly mayRetry: boolean;
  readonly mayHedge: boolean;
  /** In flight: a first one, and what was sent beside it. */
  readonly attempts: CallAttempt[] = [];
  /** Nodes it was sent to. */
  readonly tried: NodeLink[] = [];
  /** Its place among the engine's calls; -1 when it is over. */
  place = -1;
  /** When the engine looks at it again. */
  wakeMs: number = Number.POSITIVE_INFINITY;
  hedgeMs: number = Number.POSITIVE_INFINITY;
  retryMs: number = Number.POSITIVE_INFINITY;
  /** When it is looked whether the node asked is silent, and whether another must join it. */
  patienceMs: number = Number.POSITIVE_INFINITY;
  /** When an attempt is joined by another though its node is not silent. */
  joinMs: number = Number.POSITIVE_INFINITY;
  /** It was looked at much later than planned, once. */
  wasLate = false;
  /** Attempts that were paid for. */
  retries = 0;
  /** How often it backed off. */
  pauses = 0;
  wasHedged = false;
  hasFailedOver = false;
  readonly #host: CallHost;
  readonly #settler: Settler;
  readonly #signal: AbortSignal | undefined;
  #wasSent = false;
  /** An attempt of this write may have been carried out. */
  #isUnknown = false;
  #failure: CoterieErrorInput | undefined;

  constructor(host: CallHost, input: CallInput) {
    const { request } = input;
    this.request = request;
    this.isWrite = request.kind === "put" || request.kind === "delete";
    this.bytes = kvRequestSizeHint(request);
    this.begunMs = input.begunMs;
    this.deadlineMs = input.deadlineMs;
    this.mayRetry = input.mayRetry;
    this.mayHedge = input.mayHedge;
    this.#host = host;
    this.#settler = input;
    this.#signal = input.signal;
    if (this.#signal !== undefined) host.signals.add(this.#signal, this);
  }

  get isOver(): boolean {
    return this.place < 0;
  }

  abort(reason: unknown): void {
    this.#host.onAbort(this, reason);
  }

  begin(link: NodeLink, isHedge: boolean, nowMs: number): CallAttempt {
    const attempt = new CallAttempt(this.#host, this, link, isHedge, nowMs);
    this.attempts.push(attempt);
    if (!this.tried.includes(link)) this.tried.push(link);
    return attempt;
  }

  /** The attempt is over; others may still be in flight. */
  drop(attempt: CallAttempt): void {
    this.#wasSent ||= attempt.id !== 0;
    const at = this.attempts.indexOf(attempt);
    if (at >= 0) this.attempts.splice(at, 1);
  }

  /** Why the last attempt failed, and whether it may have been carried out. */
  note(failure: CoterieErrorInput): void {
    this.#failure = failure;
    if (failure.outcome === "unknown") this.#isUnknown = true;
  }

  noteFailure({ code, message, isOutcomeUnknown, acks }: KvFailure): void {
    const outcome = isOutcomeUnknown && this.isWrite ? "unknown" : "refused";
    this.note({ code: knownErrorCode(code), message, outcome, acks });
  }

  /** The error of a call that ends because its last attempt failed. */
  error(): CoterieError {
    const failure = this.#failure ?? { code: "internal", message: "failed for no known reason" };
    return new CoterieError({ ...failure, outcome: this.#outcome() });
  }

  /** The error of a call that ends because its time is over. */
  expired(timeoutMs: number): CoterieError {
    const wasSent = this.#wasSent || this.attempts.some(({ id }) => id !== 0);
    const last = this.#failure === undefined ? "" : ` (before: ${this.#failure.message})`;
    if (!wasSent) {
      const message = this.#failure?.message ?? "no connection was made in time";
      return new CoterieError({ code: "unreachable", message });
    }
    return new CoterieError({
      code: "timeout",
      message: `no answer within ${Math.round(timeoutMs)} ms${last}`,
      outcome: this.#outcome(),
      acks: this.#failure?.acks ?? noAcks,
    });
  }

  succeed(reply: CallReply): void {
    this.#leave();
    this.#settler.done(reply);
  }

  fail(error: unknown): void {
    this.#leave();
    this.#settler.failed(error);
  }

  #outcome(): "refused" | "unknown" {
    const isInFlight = this.isWrite && this.attempts.some(({ id }) => id !== 0);
    return this.#isUnknown || isInFlight ? "unknown" : "refused";
  }

  #leave(): void {
    if (this.#signal !== undefined) this.#host.signals.remove(this.#signal, this);
    for (const attempt of this.attempts) attempt.link.cancel(attempt);
    this.attempts.length = 0;
  }
}

/** One sending of a call to one node. */
export class CallAttempt implements Attempt {
  readonly call: Call;
  readonly link: NodeLink;
  readonly isHedge: boolean;
  readonly begunMs: number;
  id = 0;
  isCancelled = false;
  readonly #host: CallHost;

  constructor(host: CallHost, call: Call, link: NodeLink, isHedge: boolean, nowMs: number) {
    this.#host = host;
    this.call = call;
    this.link = link;
    this.isHedge = isHedge;
    this.begunMs = nowMs;
  }

  get request(): TimedRequest {
    return this.call.request;
  }

  get bytes(): number {
    return this.call.bytes;
  }

  get deadlineMs(): number {
    return this.call.deadlineMs;
  }

  replied(reply: KvReply | undefined): void {
    this.#host.onReply(this, reply);
  }

  unsent(reason: string): void {
    this.#host.onUnsent(this, reason);
  }

  lost(reason: string): void {
    this.#host.onLost(this, reason);
  }
}
