import type { KvFailure, KvReply } from "@coterie/protocol";
import { CoterieError } from "../coterie-error.ts";
import { Call, type CallAttempt, type CallHost, type CallInput, type CallReply } from "./call.ts";
import { CallSweep } from "./call-sweep.ts";
import type { Clock } from "./clock.ts";
import {
  type EngineOptions,
  avoidMs,
  inFlightMax,
  lateMs,
  patienceMsMin,
  patienceShare,
  retriesPerSecond,
  unpaidMax,
} from "./engine-options.ts";
import { HedgeDelay } from "./hedge-delay.ts";
import { LayoutWatch } from "./layout-watch.ts";
import type { NodeLink } from "./node-link.ts";
import { NodeLinks } from "./node-links.ts";
import type { Random } from "./random.ts";
import { Router } from "./router.ts";
import { SignalListeners } from "./signal-listeners.ts";
import { type ClientStatistics, newClientCounters } from "./statistics.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { Transport } from "./transport.ts";

export interface EngineInput {
  readonly nodes: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly options: EngineOptions;
}

/**
 * Carries calls out: where each is sent, when it is sent again, and when it is given up.
 *
 *     begun ──a node has room──▶ in flight ──an answer──▶ over
 *       │ no node can be reached     │ a failure that may pass
 *       ▼                            ▼
 *     parked ──one can──▶ in flight  backing off ──the pause is over, and paid──▶ in flight
 *                                      ▲   │ no budget
 *                                      └───┘
 *
 * From every state the deadline, an abort and `close` lead to the end. A call beyond its first
 * attempt may have others in flight: the first answer that is not a passing failure counts, and the
 * other attempt is cancelled.
 */
export class Engine implements CallHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly signals: SignalListeners = new SignalListeners();
  readonly #options: EngineOptions;
  readonly #links: NodeLinks;
  readonly #router: Router;
  readonly #layout: LayoutWatch;
  readonly #sweep: CallSweep;
  readonly #counters = newClientCounters();
  readonly #retryBudget: TokenBucket;
  readonly #hedgeBudget: TokenBucket;
  readonly #hedgeDelay = new HedgeDelay();
  /** Calls that no node could be found for. */
  readonly #parked = new Set<Call>();
  /** Calls whose pause is over, and that there was no budget for. */
  readonly #unpaid = new Set<Call>();
  #state: "running" | "draining" | "closed" = "running";
  #onDrained: (() => void)[] = [];
  /** Ends each pause that lasts. */
  readonly #pauses = new Set<() => void>();

  constructor(input: EngineInput) {
    const { clock, random, options } = input;
    this.clock = clock;
    this.random = random;
    this.#options = options;
    this.#links = new NodeLinks({
      ...input,
      options: options.links,
      onOpen: () => this.#opened(),
      onBroken: () => this.#broken(),
    });
    this.#router = new Router(this.#links, Math.floor(random.fraction() * 1024));
    this.#layout = new LayoutWatch(clock, this.#links, (layout, source) =>
      this.#router.adopt(layout, source),
    );
    this.#sweep = new CallSweep(clock, (call, nowMs) => this.#wake(call, nowMs));
    const now = clock.monotonicMs();
    this.#retryBudget = new TokenBucket({ ...options.retries, perSecond: retriesPerSecond }, now);
    this.#hedgeBudget = new TokenBucket({ ...options.hedges, perSecond: 0 }, now);
  }

  get statistics(): ClientStatistics {
    return { ...this.#counters, pending: this.#sweep.size };
  }

  /** The epoch of the ring that requests are sent by; 0 while none is known. */
  get epoch(): number {
    return this.#router.epoch;
  }

  /** Carries a call out; its settler is told once, within this call only if it is refused. */
  start(input: CallInput): void {
    this.#counters.calls += 1;
    if (this.#state !== "running") {
      this.#refuse(input, new CoterieError({ code: "closed", message: "the client is closed" }));
      return;
    }
    if (input.signal?.aborted === true) {
      this.#refuse(input, input.signal.reason);
      return;
    }
    const now = this.clock.monotonicMs();
    const call = new Call(this, input);
    this.#sweep.add(call);
    this.#retryBudget.earn();
    if (call.mayHedge) this.#hedgeBudget.earn();
    this.#layout.watch(now);
    this.#route(call, now);
  }

  /**
   * Settles after `ms`, or earlier when the engine is closed; rejects with the signal's reason if
   * it is aborted before.
   */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#state === "closed") resolve();
      else if (signal?.aborted === true) reject(signal.reason);
      else {
        this.clock.hold();
        const end = (settle: () => void): void => {
          cancel();
          this.clock.release();
          this.#pauses.delete(finish);
          if (signal !== undefined) this.signals.remove(signal, pause);
          settle();
        };
        const finish = (): void => end(resolve);
        const pause = { abort: (reason: unknown): void => end(() => reject(reason)) };
        const cancel = this.clock.at(this.clock.monotonicMs() + ms, finish);
        this.#pauses.add(finish);
        if (signal !== undefined) this.signals.add(signal, pause);
      }
    });
  }

  /** Settles when nothing is pending any more; no call is taken from now on. */
  drain(): Promise<void> {
    if (this.#state === "running") this.#state = "draining";
    return new Promise((resolve) => {
      if (this.#sweep.size === 0) resolve();
      else this.#onDrained.push(resolve);
    });
  }

  /** Fails what is pending, and ends every connection. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const call of this.#sweep.calls()) {
      call.note({ code: "closed", message: "the client was closed meanwhile" });
      this.#finish(call, call.error());
    }
    for (const finish of this.#pauses) finish();
    for (const link of this.#links.all) link.close();
    this.#layout.close();
    this.clock.close();
  }

  onReply(attempt: CallAttempt, reply: KvReply | undefined): void {
    const { call, link } = attempt;
    const now = this.clock.monotonicMs();
    if (call.mayHedge) this.#observe(attempt, now);
    call.drop(attempt);
    if (reply === undefined) {
      const outcome = call.isWrite ? "unknown" : "refused";
      call.note({ code: "internal", message: "the node's answer is not understood", outcome });
      this.#finish(call, call.error());
    } else if (reply.kind !== "failure") {
      if (attempt.isHedge) this.#counters.hedgesWon += 1;
      this.#complete(call, reply);
    } else this.#replyFailed(call, link, reply, now);
  }

  /** Nothing of it left this process: it goes elsewhere, and that is no retry. */
  onUnsent(attempt: CallAttempt, reason: string): void {
    const { call } = attempt;
    call.drop(attempt);
    call.note({ code: "unreachable", message: reason });
    if (call.attempts.length === 0) this.#route(call, this.clock.monotonicMs());
  }

  /**
   * The connection broke under it. It is sent to another node once without budget: as many as were
   * in flight there, which is bounded, and no sign of overload. From then on it is paid. The same
   * goes for what a node refuses because it goes, or has just come.
   */
  onLost(attempt: CallAttempt, reason: string): void {
    const { call, link } = attempt;
    call.drop(attempt);
    const message = `the connection to ${link.address} broke: ${reason}`;
    const outcome = call.isWrite ? "unknown" : "refused";
    call.note({ code: "connection-lost", message, outcome });
    if (call.attempts.length > 0) return;
    const now = this.clock.monotonicMs();
    if (!call.mayRetry) this.#finish(call, call.error());
    else if (!this.#failOver(call, now)) this.#retryLater(call, now);
  }

  onAbort(call: Call, reason: unknown): void {
    if (!call.isOver) this.#finish(call, reason);
  }

  #route(call: Call, now: number): void {
    const link = this.#choose(call, now);
    if (link === undefined) this.#park(call, now);
    else this.#send(call, link, false, now);
  }

  #choose(call: Call, nowMs: number): NodeLink | undefined {
    const { request, isWrite, tried } = call;
    const { bucket } = request;
    const partition = request.kind === "scan" ? -1 : this.#router.partition(bucket, request.key);
    return this.#router.choose({ nowMs, partition, bucket, isWrite, tried });
  }

  #send(call: Call, link: NodeLink, isHedge: boolean, now: number): boolean {
    const attempt = call.begin(link, isHedge, now);
    if (!link.send(attempt)) {
      call.drop(attempt);
      if (call.attempts.length === 0) {
        const message = `too much is in flight to ${link.address}`;
        call.note({ code: "overloaded", message });
        this.#finish(call, call.error());
      }
      return false;
    }
    this.#counters.attempts += 1;
    if (call.mayRetry) {
      call.joinMs = now + Math.max(patienceMsMin, (call.deadlineMs - now) * patienceShare);
      call.patienceMs = Math.min(call.joinMs, link.doubtfulAtMs(now));
    }
    if (call.mayHedge && !call.wasHedged) call.hedgeMs = now + this.#hedgeDelay.delayMs;
    this.#sweep.plan(call);
    return true;
  }

  /** No node can be reached: waits until one can, if retries are on. */
  #park(call: Call, now: number): void {
    const [first] = this.#links.all;
    const reason = first?.brokenReason === "" ? "not connected" : first?.brokenReason;
    call.note({ code: "unreachable", message: `no node can be reached: ${reason}` });
    if (!call.mayRetry) {
      this.#finish(call, call.error());
      return;
    }
    for (const link of this.#links.all) link.want();
    this.#parked.add(call);
    call.patienceMs = Number.POSITIVE_INFINITY;
    this.#sweep.plan(call);
    this.#layout.refresh(now);
  }

  #replyFailed(call: Call, link: NodeLink, reply: KvFailure, now: number): void {
    call.noteFailure(reply);
    const { code } = reply;
    if (code === "shutting-down" || code === "not-ready") {
      link.avoid(now + avoidMs);
      this.#layout.refresh(now);
      if (this.#failOver(call, now)) return;
    }
    if (!reply.isRetryable || !call.mayRetry) this.#finish(call, call.error());
    // While another attempt is in flight, that one decides.
    else if (call.attempts.length === 0) this.#retryLater(call, now);
  }

  /** Sends a call to another node without budget, unless it was before, or is still under way. */
  #failOver(call: Call, now: number): boolean {
    if (!call.mayRetry || call.hasFailedOver || call.attempts.length > 0) return false;
    call.hasFailedOver = true;
    this.#counters.failovers += 1;
    this.#route(call, now);
    return true;
  }

  /** Backs off; one that would come back after its deadline fails now, with what is known. */
  #retryLater(call: Call, now: number): void {
    const { backoffMs, backoffMsMax } = this.#options.retries;
    const pauseMs = Math.min(backoffMsMax, backoffMs * 2 ** call.pauses);
    const retryMs = now + pauseMs * this.random.fraction();
    if (retryMs >= call.deadlineMs) {
      this.#finish(call, call.error());
      return;
    }
    call.pauses += 1;
    call.retryMs = retryMs;
    call.patienceMs = Number.POSITIVE_INFINITY;
    call.hedgeMs = Number.POSITIVE_INFINITY;
    this.#sweep.plan(call);
  }

  /** The pause is over: what cannot be paid pauses again, unless too much does already. */
  #retry(call: Call, now: number): void {
    call.retryMs = Number.POSITIVE_INFINITY;
    if (this.#payRetry(call, now)) this.#route(call, now);
    else if (this.#unpaid.size >= unpaidMax && !this.#unpaid.has(call)) {
      this.#finish(call, call.error());
    } else {
      this.#unpaid.add(call);
      this.#retryLater(call, now);
    }
  }

  #payRetry(call: Call, now: number): boolean {
    if (!this.#retryBudget.take(now)) {
      this.#counters.retriesDenied += 1;
      return false;
    }
    this.#unpaid.delete(call);
    call.retries += 1;
    this.#counters.retries += 1;
    return true;
  }

  #wake(call: Call, now: number): void {
    if (now >= call.deadlineMs) {
      this.#finish(call, call.expired(call.deadlineMs - call.begunMs));
      return;
    }
    if (now >= call.retryMs) this.#retry(call, now);
    else if (now >= call.hedgeMs) {
      call.hedgeMs = Number.POSITIVE_INFINITY;
      this.#hedge(call, now);
    } else if (now >= call.patienceMs + lateMs && !call.wasLate) {
      // This process stood still: what was answered meanwhile is read first.
      call.wasLate = true;
      call.patienceMs = now;
    } else if (now >= call.patienceMs) {
      call.patienceMs = Number.POSITIVE_INFINITY;
      this.#joinSilent(call, now);
    }
    if (!call.isOver) this.#sweep.plan(call);
  }

  /** Another node is asked too, if there is a good one and not too many are asked already. */
  #hedge(call: Call, now: number): void {
    const link = this.#other(call, now);
    if (link === undefined || call.attempts.length !== 1) return;
    if (!this.#hedgeBudget.take(now)) {
      this.#counters.hedgesDenied += 1;
      return;
    }
    call.wasHedged = true;
    if (this.#send(call, link, true, now)) this.#counters.hedges += 1;
  }

  /**
   * What is in flight is silent: another attempt beside it. If its whole node is silent and this
   * one is not, that is a failover like any other; otherwise it is paid as a retry.
   */
  #joinSilent(call: Call, now: number): void {
    if (call.attempts.length >= inFlightMax) return;
    const silentAtMs = Math.max(...call.attempts.map((attempt) => attempt.link.doubtfulAtMs(now)));
    if (now < Math.min(silentAtMs, call.joinMs)) {
      call.patienceMs = Math.min(silentAtMs, call.joinMs);
      return;
    }
    const link = this.#other(call, now);
    if (link === undefined) {
      if (now < call.joinMs) call.patienceMs = call.joinMs;
      return;
    }
    const isNodeSilent =
      link.health(now) === "good" &&
      call.attempts.every((attempt) => attempt.link.health(now) !== "good");
    if (isNodeSilent && !call.hasFailedOver) {
      call.hasFailedOver = true;
      this.#counters.failovers += 1;
      this.#send(call, link, false, now);
    } else if (now < call.joinMs) {
      call.patienceMs = call.joinMs;
    } else if (this.#payRetry(call, now)) {
      this.#send(call, link, false, now);
    } else call.patienceMs = now + patienceMsMin;
  }

  #other(call: Call, now: number): NodeLink | undefined {
    const link = this.#choose(call, now);
    return link === undefined || call.tried.includes(link) ? undefined : link;
  }

  /** Hears of first attempts only: whether the answer came within the delay of a hedge. */
  #observe({ call, isHedge, begunMs }: CallAttempt, now: number): void {
    if (call.wasHedged) this.#hedgeDelay.observe(true);
    else if (!isHedge && call.tried.length === 1) {
      this.#hedgeDelay.observe(now - begunMs > this.#hedgeDelay.delayMs);
    }
  }

  #complete(call: Call, reply: CallReply): void {
    this.#counters.succeeded += 1;
    // Retries that lead to success are no load that a failing cluster is buried by.
    if (call.retries > 0) this.#retryBudget.give();
    this.#over(call);
    call.succeed(reply);
  }

  #finish(call: Call, error: unknown): void {
    this.#counters.failed += 1;
    this.#over(call);
    call.fail(error);
  }

  #over(call: Call): void {
    this.#sweep.remove(call);
    this.#parked.delete(call);
    this.#unpaid.delete(call);
    if (this.#sweep.size > 0 || this.#onDrained.length === 0) return;
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  #refuse({ failed }: CallInput, error: unknown): void {
    this.#counters.failed += 1;
    failed(error);
  }

  #opened(): void {
    this.#counters.connectionsOpened += 1;
    const now = this.clock.monotonicMs();
    this.#layout.refresh(now);
    const parked = [...this.#parked];
    this.#parked.clear();
    for (const call of parked) this.#route(call, now);
  }

  #broken(): void {
    this.#counters.connectionsBroken += 1;
    this.#layout.refresh(this.clock.monotonicMs());
  }
}
