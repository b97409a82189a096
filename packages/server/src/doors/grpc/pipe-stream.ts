import type { Cancel, Clock } from "@coterie/ports";
import {
  type DecodedPipeRequest,
  type KvOperation,
  type KvReply,
  type KvScan,
  PipeReplyBatch,
  decodePipeRequests,
  kvReplySizeHint,
} from "@coterie/protocol";
import type { ByteBudget } from "../byte-budget.ts";
import type { RequestProblem } from "../request-checks.ts";
import { refusal, shuttingDown, statusOf, tooLargeReply } from "./failures.ts";
import type { CallEvents, GrpcCall } from "./grpc-call.ts";
import {
  type GrpcDoorOptions,
  messageBytesFull,
  messageRepliesMax,
  replyBytesMax,
} from "./grpc-options.ts";
import type { GrpcStatistics } from "./grpc-statistics.ts";
import type { KvService } from "./kv-service.ts";

export interface PipeStreamInput {
  readonly call: GrpcCall;
  readonly clock: Clock;
  readonly options: GrpcDoorOptions;
  readonly service: KvService;
  readonly statistics: GrpcStatistics;
  /** Replies that clients have not taken, all connections together. */
  readonly unread: ByteBudget;
  readonly onOver: (stream: PipeStream) => void;
}

/** A request that the node has not answered, whether or not somebody still waits. */
interface Pending {
  readonly id: number;
  readonly kind: "get" | "put" | "delete" | "scan";
  readonly bytes: number;
  readonly sinceMs: number;
}

const malformed: RequestProblem = { code: "bad-request", message: "the message is malformed" };
const overOperations: RequestProblem = {
  code: "overloaded",
  message: "too many requests of this stream have no answer yet",
};
const overBytes: RequestProblem = {
  code: "overloaded",
  message: "the requests of this stream that have no answer yet are too large together",
};
const unreadReplies: RequestProblem = {
  code: "overloaded",
  message: "the client leaves too many replies unread",
};

/**
 * One client's Pipe. Each message is taken whole, and the replies of a turn are gathered:
 *
 *     open ──client half-closes, or drain──▶ ending ──all answered──▶ over
 *       └──broken, cancelled or malformed─────────────────────────────┘
 */
export class PipeStream implements CallEvents {
  readonly #input: PipeStreamInput;
  readonly #replies = new PipeReplyBatch();
  /** By id: those whose answer somebody waits for. */
  readonly #waiting = new Map<number, Pending>();
  /** Of all that the node has not answered. */
  #operations = 0;
  #bytes = 0;
  #bytesUnread = 0;
  #stopSilence: Cancel | undefined;
  #isFlushScheduled = false;
  /** A message without requests has come, and nothing was sent since. */
  #isSignOwed = false;
  #isEnding = false;
  #isDraining = false;
  #isOver = false;

  constructor(input: PipeStreamInput) {
    this.#input = input;
    input.call.whenOver(() => this.#over());
  }

  ended(): void {
    this.#endWhenAnswered();
  }

  /** Refuses what is new, sends the answers of what is in flight, and ends. */
  drain(): void {
    this.#isDraining = true;
    this.#endWhenAnswered();
  }

  message(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const { clock, statistics } = this.#input;
    statistics.messages += 1;
    statistics.bytesReceived += bytes.length;
    const decoded = decodePipeRequests(bytes);
    if (!decoded.ok) {
      statistics.malformed += 1;
      this.#fail(malformed);
      return;
    }
    const now = clock.monotonicMs();
    statistics.requests += decoded.requests.length;
    for (const request of decoded.requests) this.#take(request, now);
    // One answer for all that come in a turn: they cost their sender next to nothing.
    if (decoded.requests.length > 0) return;
    this.#isSignOwed = true;
    this.#flushAfterTurn();
  }

  #take({ id, request, problem }: DecodedPipeRequest, now: number): void {
    if (this.#isOver) return;
    const { statistics, options } = this.#input;
    if (request?.kind === "cancel") {
      if (this.#waiting.delete(id)) statistics.cancelled += 1;
      this.#endIfAnswered();
      return;
    }
    if (this.#waiting.has(id)) {
      statistics.malformed += 1;
      this.#fail({ code: "bad-request", message: `the id ${id} has no answer yet` });
    } else if (request === undefined) {
      statistics.malformed += 1;
      this.#refuse(id, "other", problem ?? malformed);
    } else if (this.#isDraining) {
      this.#answer(id, shuttingDown);
    } else if (this.#operations >= options.pipeOperationsMax) {
      this.#refuse(id, request.kind, overOperations);
    } else this.#begin(id, request, now);
  }

  #begin(id: number, request: KvOperation | KvScan, sinceMs: number): void {
    const { options, service } = this.#input;
    const bytes = request.kind === "put" ? request.value.length : 0;
    if (this.#bytes + bytes > options.pipeBytesMax) {
      this.#refuse(id, request.kind, overBytes);
      return;
    }
    const pending: Pending = { id, kind: request.kind, bytes, sinceMs };
    this.#waiting.set(id, pending);
    this.#operations += 1;
    this.#bytes += bytes;
    if (request.kind === "scan") service.scan(request, (reply) => this.#settle(pending, reply));
    else {
      service.perform(request, request.timeoutMs, (reply) => this.#settle(pending, reply));
    }
  }

  #settle(pending: Pending, reply: KvReply): void {
    const { clock, service } = this.#input;
    this.#operations -= 1;
    this.#bytes -= pending.bytes;
    service.observe(pending.kind, reply, clock.monotonicMs() - pending.sinceMs);
    // Taken back; another request may have its id by now.
    if (this.#waiting.get(pending.id) !== pending) return;
    this.#waiting.delete(pending.id);
    this.#answer(pending.id, reply);
    this.#endIfAnswered();
  }

  #refuse(id: number, operation: string, problem: RequestProblem): void {
    const reply = refusal(problem);
    this.#input.service.observe(operation, reply, 0);
    this.#answer(id, reply);
  }

  #answer(id: number, reply: KvReply): void {
    if (this.#isOver) return;
    const { statistics } = this.#input;
    const fitting = this.#fitting(reply);
    const isLarge = kvReplySizeHint(fitting) >= messageBytesFull;
    if (isLarge && this.#replies.bytes > 0) this.#flush();
    statistics.replies += 1;
    this.#replies.add(id, fitting);
    if (this.#replies.replies >= messageRepliesMax || this.#replies.bytes >= messageBytesFull) {
      this.#flush();
    } else this.#flushAfterTurn();
  }

  #flushAfterTurn(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.#input.clock.afterTurn(() => {
      this.#isFlushScheduled = false;
      if (this.#replies.replies > 0 || this.#isSignOwed) this.#flush();
    });
  }

  /** The reply, or why it cannot be sent: it is too large, or the client reads nothing. */
  #fitting(reply: KvReply): KvReply {
    if (reply.kind !== "get" && reply.kind !== "scan") return reply;
    const bytes = kvReplySizeHint(reply);
    if (bytes > replyBytesMax) return tooLargeReply;
    const { options, unread } = this.#input;
    const isUnread = this.#bytesUnread + bytes > options.pipeUnreadBytesMax;
    const isFirst = this.#bytesUnread === 0;
    return (isUnread && !isFirst) || !unread.has(bytes) ? refusal(unreadReplies) : reply;
  }

  #flush(): void {
    if (this.#isOver) return;
    const { call, statistics, unread, options } = this.#input;
    const message = this.#replies.take();
    this.#isSignOwed = false;
    const { length } = message;
    statistics.replyMessages += 1;
    statistics.bytesSent += length;
    this.#bytesUnread += length;
    unread.hold(length);
    if (this.#bytesUnread > options.pipePauseBytes) this.#pause();
    call.write(message, () => {
      if (this.#isOver) return;
      this.#bytesUnread -= length;
      unread.give(length);
      this.#moved();
    });
  }

  /** Nothing more is read until the client reads; one that never does is cut off. */
  #pause(): void {
    const { call, clock, options } = this.#input;
    call.pause();
    this.#stopSilence ??= clock.at(clock.monotonicMs() + options.silenceMs, () => {
      this.#fail(unreadReplies);
    });
  }

  #moved(): void {
    const { call, options } = this.#input;
    this.#stopSilence?.();
    this.#stopSilence = undefined;
    if (this.#bytesUnread > options.pipePauseBytes) this.#pause();
    else if (call.isPaused) call.resume();
  }

  #endWhenAnswered(): void {
    this.#isEnding = true;
    this.#endIfAnswered();
  }

  #endIfAnswered(): void {
    if (!this.#isEnding || this.#waiting.size > 0 || this.#isOver) return;
    if (this.#replies.replies > 0) this.#flush();
    if (this.#isDraining)
      this.#fail({ code: "shutting-down", message: "the node is shutting down" });
    else {
      this.#over();
      this.#input.call.end();
    }
  }

  #fail(problem: RequestProblem): void {
    this.#over();
    this.#input.call.fail(statusOf(refusal(problem)));
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting.clear();
    this.#stopSilence?.();
    // What is still unread belongs to a stream that ends, one way or the other.
    this.#input.unread.give(this.#bytesUnread);
    this.#input.onOver(this);
  }
}
