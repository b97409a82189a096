import { type Levels, levelsText, levelsUnsaid, sharedLevel } from "@coterie/core";
import type { PeerRefusal, PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Clock, MonotonicMs, Receive } from "@coterie/ports";
import {
  type DecodedOperation,
  ResultBatch,
  decodeBatch,
  responseSizeHint,
} from "@coterie/protocol";
import { type PeerOptions, messageBytesFull, messageOperationsMax } from "./peer-options.ts";
import type { PeerServerStatistics } from "./peer-server-statistics.ts";
import { SenderClock } from "./sender-clock.ts";
import type { ServedCall, ServedCallEvents } from "./transport.ts";

export interface ServedStreamInput {
  readonly call: ServedCall;
  readonly clock: Clock;
  readonly options: PeerOptions;
  readonly receive: Receive<PeerRequest, PeerResponse>;
  readonly statistics: PeerServerStatistics;
  readonly onOver: (stream: ServedStream) => void;
}

/** Acks that a peer leaves unread, above which nothing more is read from it. */
const unsentBytesMax = 4 * 1024 * 1024;

/** One peer's stream of requests: each message is decoded whole, applied, and answered by turns. */
export class ServedStream implements ServedCallEvents {
  readonly #input: ServedStreamInput;
  readonly #acks = new ResultBatch();
  readonly #senderClock = new SenderClock();
  #lastHeardMs: MonotonicMs;
  #bytesUnsent = 0;
  #isAckScheduled = false;
  /** A batch without operations has come, and nothing was sent since. */
  #isSignOwed = false;
  #isPaused = false;
  #isGreeted = false;
  /** Of an answer with records; its peer asks again on another stream for a larger one. */
  #recordBytesMax: number = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(input: ServedStreamInput) {
    this.#input = input;
    this.#lastHeardMs = input.clock.monotonicMs();
  }

  /** Its peer is done, and has no call waiting: it would not end the stream otherwise. */
  ended(): void {
    this.over();
    this.#input.call.end();
  }

  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#input.onOver(this);
  }

  message(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const { clock, options, statistics } = this.#input;
    const now = clock.monotonicMs();
    const silentMs = now - this.#lastHeardMs;
    this.#lastHeardMs = now;
    statistics.messages += 1;
    statistics.bytesReceived += bytes.length;
    // This process, or the way to it, stood still. The sender has given up and uses another stream.
    if (silentMs > options.keepaliveMs * 2) {
      statistics.silent += 1;
      this.#fail("aborted", "the stream was silent for too long");
      return;
    }
    const batch = decodeBatch(bytes);
    if (!batch.ok) {
      statistics.malformed += 1;
      this.#fail("malformed", "the batch is malformed");
      return;
    }
    if (!this.#isGreeted) {
      if (!this.#greet(batch.levels ?? levelsUnsaid)) return;
      this.#recordBytesMax = batch.recordBytesMax ?? Number.POSITIVE_INFINITY;
    }
    this.#senderClock.learn(batch.sentMs, now);
    statistics.operations += batch.operations.length;
    for (const operation of batch.operations) this.#apply(operation, now);
    // One answer for all that come in a turn: they cost their sender next to nothing.
    if (batch.operations.length > 0) return;
    this.#isSignOwed = true;
    this.#ackAfterTurn();
  }

  /** False where the two have no level in common, and the stream is over. */
  #greet(theirs: Levels): boolean {
    const { levels } = this.#input.options;
    this.#isGreeted = true;
    this.#acks.greet(levels);
    if (sharedLevel(levels, theirs) !== undefined) return true;
    const both = `this node speaks ${levelsText(levels)}, and its peer ${levelsText(theirs)}`;
    this.#fail("unsupported", `${both}: upgrade by way of a build that speaks both`);
    return false;
  }

  #apply({ id, deadline, request }: DecodedOperation, now: MonotonicMs): void {
    const { receive, statistics } = this.#input;
    const localDeadline = this.#senderClock.toLocal(deadline);
    if (request === undefined) {
      statistics.malformed += 1;
      this.#answer(id, refusal("malformed", "the request is malformed, or of an unknown kind"));
    } else if (localDeadline <= now) {
      statistics.expired += 1;
      this.#answer(id, refusal("expired", "the request came after its deadline"));
    } else {
      receive(request, localDeadline, (response) => this.#answer(id, response));
    }
  }

  #answer(id: number, response: PeerResponse): void {
    if (this.#isOver) return;
    const { options, statistics } = this.#input;
    const before = this.#acks.bytes;
    const bytes = responseSizeHint(response);
    if (bytes > this.#recordBytesMax && hasRecords(response)) {
      return this.#answer(id, refusal("too-large", "the answer is too large for this stream"));
    }
    statistics.answers += 1;
    const isLarge = bytes >= messageBytesFull;
    if (isLarge && before > 0) this.#sendAck();
    this.#acks.add(id, response);
    if (this.#acks.bytes > options.messageBytesMax) {
      this.#acks.take();
      this.#acks.add(id, refusal("too-large", "the answer is larger than a message may be"));
    }
    if (this.#acks.results >= messageOperationsMax || this.#acks.bytes >= messageBytesFull) {
      this.#sendAck();
    } else this.#ackAfterTurn();
  }

  #ackAfterTurn(): void {
    if (this.#isAckScheduled) return;
    this.#isAckScheduled = true;
    this.#input.clock.afterTurn(() => {
      this.#isAckScheduled = false;
      if (this.#acks.results > 0 || this.#isSignOwed) this.#sendAck();
    });
  }

  #sendAck(): void {
    if (this.#isOver) return;
    const { call, statistics } = this.#input;
    const bytes = this.#acks.take();
    this.#isSignOwed = false;
    statistics.acks += 1;
    statistics.bytesSent += bytes.length;
    this.#bytesUnsent += bytes.length;
    if (this.#bytesUnsent > unsentBytesMax && !this.#isPaused) {
      this.#isPaused = true;
      call.pause();
    }
    call.write(bytes, () => {
      this.#bytesUnsent -= bytes.length;
      if (this.#bytesUnsent > unsentBytesMax || !this.#isPaused) return;
      this.#isPaused = false;
      call.resume();
    });
  }

  #fail(code: "aborted" | "malformed" | "unsupported", details: string): void {
    this.over();
    this.#input.call.fail(code, details);
  }
}

/** Such an answer is to a request that only read, and can be asked again. */
function hasRecords({ kind }: PeerResponse): boolean {
  return kind === "present" || kind === "found" || kind === "fetched";
}

function refusal(code: PeerRefusal, message: string): PeerResponse {
  return { kind: "refused", code, outcome: "refused", message, primaries: 0, fallbacks: 0 };
}
