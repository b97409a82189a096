import { type PeerAddress, invariant, levelsText, levelsUnsaid, sharedLevel } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Cancel, Clock, MonotonicMs, NoReply, Random, Reply } from "@coterie/ports";
import { OperationBatch, decodeAck, operationSizeHint } from "@coterie/protocol";
import { type PendingCall, PendingCalls } from "./pending-calls.ts";
import { type PeerOptions, messageBytesFull, messageOperationsMax } from "./peer-options.ts";
import { type PeerStatistics, newPeerStatistics } from "./peer-statistics.ts";
import type { PeerStream, PeerTransport } from "./transport.ts";

export interface PeerLinkInput {
  readonly address: PeerAddress;
  readonly clock: Clock;
  readonly random: Random;
  readonly options: PeerOptions;
  readonly transport: PeerTransport;
  /** For the log: a stream broke or could not be opened. */
  readonly onBroken: (address: PeerAddress, reason: string) => void;
  /** The peer answers again, after a stream to it was broken. */
  readonly onReturned: (address: PeerAddress) => void;
}

type Settle = (reply: Reply<PeerResponse>) => void;

/** Deadlines are swept at most this often. */
const sweepMsMin = 5;

/** A message that waits for the stream to open. */
interface Message {
  readonly bytes: Uint8Array;
  readonly operations: number;
}

/**
 * All calls to one peer, and the stream that carries them:
 *
 *     idle ──a call, or whether it is reachable──▶ connecting ──the peer answers──▶ connected
 *     connected ──a minute without calls──▶ idle
 *     connecting, connected ──the stream breaks──▶ broken ──an attempt succeeds──▶ connected
 *     broken ──nobody asks for a minute──▶ idle          any ──close()──▶ closed
 *
 * Calls of one turn make one message. While connecting they are gathered; while broken they are
 * refused, so that whoever asks can turn to another peer at once.
 */
export class PeerLink {
  readonly #input: PeerLinkInput;
  readonly #clock: Clock;
  readonly #options: PeerOptions;
  readonly #statistics: PeerStatistics = newPeerStatistics();
  readonly #pending = new PendingCalls();
  readonly #batch = new OperationBatch();
  #state: "idle" | "connecting" | "connected" | "broken" | "closed" = "idle";
  #stream: PeerStream | undefined;
  /** Gathered before the stream opened, in order. */
  #gathered: Message[] = [];
  /** Messages of this stream handed to the transport: calls in later ones were surely not sent. */
  #messagesWritten = 0;
  /** In messages that are not yet with the socket. */
  #bytesUnsent = 0;
  /** The peer has said what it speaks, on this stream. */
  #isGreeted = false;
  #isFlushScheduled = false;
  #lastWantedMs: MonotonicMs = 0;
  #failures = 0;
  #connectedAtMs: MonotonicMs = 0;
  #cancelTimer: Cancel = () => {};
  #cancelSweep: Cancel = () => {};
  #sweepAtMs: MonotonicMs = Number.POSITIVE_INFINITY;

  constructor(input: PeerLinkInput) {
    this.#input = input;
    this.#clock = input.clock;
    this.#options = input.options;
  }

  get isReachable(): boolean {
    if (this.#state !== "broken" && this.#state !== "idle") return this.#state !== "closed";
    // Whoever asks is interested: an idle stream is opened, to know better the next time, and the
    // attempts to reopen a broken one go on.
    this.#lastWantedMs = this.#clock.monotonicMs();
    if (this.#state === "broken") return false;
    this.#connect("connecting");
    return true;
  }

  get statistics(): PeerStatistics {
    const { count: pendingOperations, bytes: pendingBytes } = this.#pending;
    return { ...this.#statistics, pendingOperations, pendingBytes };
  }

  call(request: PeerRequest, deadline: MonotonicMs, settle: Settle): void {
    const now = this.#clock.monotonicMs();
    this.#lastWantedMs = now;
    if (this.#state === "broken" || this.#state === "closed" || deadline <= now) {
      this.#statistics.refusedUnreachable += 1;
      this.#refuse(settle);
      return;
    }
    const sizeHint = operationSizeHint(request);
    if (!this.#hasRoomFor(sizeHint)) {
      this.#statistics.refusedOverBudget += 1;
      this.#refuse(settle);
      return;
    }
    // A large operation travels alone, so that a message's limit is that of one operation.
    const isLarge = sizeHint >= messageBytesFull;
    if (isLarge) this.#flush();
    const id = this.#pending.nextId();
    const bytes = this.#batch.add(id, deadline, request);
    const message = this.#messagesWritten + this.#gathered.length;
    this.#pending.add({ id, deadline, bytes, message, settle });
    this.#sweepBy(deadline);
    if (this.#state === "idle") this.#connect("connecting");
    if (
      isLarge ||
      this.#batch.operations >= messageOperationsMax ||
      this.#batch.bytes >= messageBytesFull
    ) {
      this.#flush();
    } else this.#scheduleFlush();
  }

  /** The peer is known to answer: a broken stream is tried at once, whatever the pause. */
  retryNow(): void {
    if (this.#state !== "broken" || this.#stream !== undefined) return;
    this.#cancelTimer();
    this.#failures = 0;
    this.#connect("broken");
  }

  /** Settles what waits, and closes the stream. */
  close(): void {
    if (this.#state === "closed") return;
    this.#stream?.destroy();
    this.#stopped("closed");
  }

  #hasRoomFor(bytes: number): boolean {
    const { bytesMax, operationsMax, messageBytesMax } = this.#options;
    return (
      bytes <= messageBytesMax &&
      this.#pending.count < operationsMax &&
      this.#pending.bytes + bytes <= bytesMax &&
      this.#bytesUnsent + this.#batch.bytes + bytes <= bytesMax
    );
  }

  #refuse(settle: Settle): void {
    this.#clock.afterTurn(() => settle({ ok: false, reason: "refused" }));
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.#clock.afterTurn(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  /** Makes a message of what was gathered, and sends it if the stream is open. */
  #flush(): void {
    const { operations } = this.#batch;
    if (operations === 0) return;
    const message = { bytes: this.#batch.take(this.#clock.monotonicMs()), operations };
    this.#bytesUnsent += message.bytes.length;
    if (this.#state === "connected") this.#write(message);
    else this.#gathered.push(message);
  }

  #write({ bytes, operations }: Message): void {
    this.#messagesWritten += 1;
    this.#statistics.operationsSent += operations;
    this.#send(bytes);
  }

  #send(bytes: Uint8Array): void {
    const stream = this.#stream;
    invariant(stream !== undefined, "a connected peer has a stream");
    this.#statistics.messagesSent += 1;
    this.#statistics.bytesSent += bytes.length;
    stream.write(bytes, () => {
      if (this.#stream === stream) this.#bytesUnsent -= bytes.length;
    });
  }

  #connect(state: "connecting" | "broken"): void {
    this.#isGreeted = false;
    this.#state = state;
    const { address, clock, options, transport } = this.#input;
    this.#stream = transport.connect({
      address,
      clock,
      options,
      hello: this.#hello(),
      onOpen: () => this.#opened(),
      onMessage: (message) => this.#receive(message),
      onBroken: (reason) => this.#broke(reason),
    });
  }

  #hello(): Uint8Array {
    const batch = new OperationBatch();
    const { levels, answerBytesMax } = this.#options;
    batch.greet(levels);
    if (answerBytesMax !== undefined) batch.limitAnswers(answerBytesMax);
    return batch.take(this.#clock.monotonicMs());
  }

  #emptyBatch(): Uint8Array {
    return new OperationBatch().take(this.#clock.monotonicMs());
  }

  #opened(): void {
    this.#statistics.connects += 1;
    const hasReturned = this.#state === "broken";
    if (hasReturned) this.#statistics.reconnects += 1;
    this.#state = "connected";
    this.#connectedAtMs = this.#clock.monotonicMs();
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const message of gathered) this.#write(message);
    this.#tickLater();
    if (hasReturned) this.#input.onReturned(this.#input.address);
  }

  #tickLater(): void {
    const at = this.#clock.monotonicMs() + this.#options.keepaliveMs;
    this.#cancelTimer = this.#clock.at(at, () => this.#tick());
  }

  /** Says that this end lives, and lets the peer learn its clock again; or ends an idle stream. */
  #tick(): void {
    const idleMs = this.#clock.monotonicMs() - this.#lastWantedMs;
    if (idleMs >= this.#options.idleMs && this.#pending.count === 0) {
      this.#stream?.end();
      this.#stopped("idle");
      return;
    }
    const keepalive = this.#emptyBatch();
    this.#bytesUnsent += keepalive.length;
    this.#send(keepalive);
    this.#tickLater();
  }

  #receive(bytes: Uint8Array): void {
    this.#statistics.messagesReceived += 1;
    this.#statistics.bytesReceived += bytes.length;
    const ack = decodeAck(bytes);
    if (!ack.ok) {
      this.#statistics.malformed += 1;
      this.#stream?.destroy();
      this.#broke("the peer's answer is malformed");
      return;
    }
    if (!this.#isGreeted) {
      this.#isGreeted = true;
      const { levels } = this.#options;
      const theirs = ack.levels ?? levelsUnsaid;
      if (sharedLevel(levels, theirs) === undefined) {
        this.#stream?.destroy();
        this.#broke(`the peer speaks ${levelsText(theirs)}, and this node ${levelsText(levels)}`);
        return;
      }
    }
    for (const { id, response } of ack.results) {
      const call = this.#pending.take(id);
      if (call === undefined) {
        this.#statistics.answersUnknown += 1;
        continue;
      }
      this.#statistics.operationsAnswered += 1;
      call.settle({ ok: true, response: response ?? notUnderstood });
    }
  }

  #broke(reason: string): void {
    const now = this.#clock.monotonicMs();
    const { backoffMsMax, backoffMsMin } = this.#options;
    if (this.#state !== "connected") this.#statistics.connectFailures += 1;
    else if (now - this.#connectedAtMs >= backoffMsMax) this.#failures = 0;
    const pauseMs = Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    this.#stopped("broken");
    // From three quarters to five quarters: nodes that lost a peer together return apart.
    const jitterMs = this.#input.random.below(Math.floor(pauseMs / 2) + 1) - pauseMs / 4;
    this.#cancelTimer = this.#clock.at(now + pauseMs + jitterMs, () => this.#retry());
    this.#input.onBroken(this.#input.address, reason);
  }

  #retry(): void {
    const unwantedMs = this.#clock.monotonicMs() - this.#lastWantedMs;
    if (unwantedMs >= this.#options.idleMs) this.#state = "idle";
    else this.#connect("broken");
  }

  /** The stream is gone: settles every call and forgets what was not sent. */
  #stopped(state: "idle" | "broken" | "closed"): void {
    this.#state = state;
    this.#stream = undefined;
    this.#cancelTimer();
    this.#cancelSweep();
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    const written = this.#messagesWritten;
    this.#messagesWritten = 0;
    this.#bytesUnsent = 0;
    this.#gathered = [];
    this.#batch.clear();
    for (const call of this.#pending.takeAll()) {
      this.#giveUp(call, call.message < written ? "timeout" : "refused");
    }
  }

  #giveUp(call: PendingCall, reason: NoReply): void {
    if (reason === "timeout") this.#statistics.timeouts += 1;
    else this.#statistics.refusedUnreachable += 1;
    call.settle({ ok: false, reason });
  }

  /** One timer for all deadlines: nearly every call is answered long before its own. */
  #sweepBy(deadline: MonotonicMs): void {
    if (deadline >= this.#sweepAtMs - sweepMsMin) return;
    this.#cancelSweep();
    this.#sweepAtMs = deadline;
    this.#cancelSweep = this.#clock.at(deadline, () => this.#sweep());
  }

  #sweep(): void {
    const now = this.#clock.monotonicMs();
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    const expired = this.#pending.takeExpired(now);
    if (this.#pending.count > 0) {
      this.#sweepBy(Math.max(this.#pending.earliestDeadline(), now + sweepMsMin));
    }
    for (const call of expired) this.#giveUp(call, "timeout");
  }
}

/** What a newer peer's answer of an unknown kind comes to. */
const notUnderstood: PeerResponse = {
  kind: "refused",
  code: "internal",
  outcome: "unknown",
  message: "the peer's answer is of an unknown kind",
  primaries: 0,
  fallbacks: 0,
};
