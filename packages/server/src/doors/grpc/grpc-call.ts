import type { Cancel, Clock, MonotonicMs } from "@coterie/ports";
import { type ServerHttp2Stream, constants } from "node:http2";
import { type GrpcStatus, trailersOf } from "../../adapters/http2/grpc-status.ts";
import {
  type FrameProblem,
  type MessageRoom,
  writeFramed,
} from "../../adapters/http2/message-frames.ts";
import { MessageReader } from "../../adapters/http2/message-reader.ts";
import { refusal, statusOf } from "./failures.ts";

/** Of one turn of one call. A thousand small requests are as much as may hold up all others. */
const turnBytesMax = 32 * 1024;

const problemStatuses: Readonly<
  Record<Exclude<FrameProblem["kind"], "crowded">, GrpcStatus["status"]>
> = {
  compressed: "UNIMPLEMENTED",
  "too-large": "RESOURCE_EXHAUSTED",
  cut: "INTERNAL",
};

const responseHeaders = {
  [constants.HTTP2_HEADER_STATUS]: 200,
  "content-type": "application/grpc+proto",
  "grpc-accept-encoding": "identity",
};

export interface GrpcCallInput {
  readonly stream: ServerHttp2Stream;
  readonly clock: Clock;
  readonly messageBytesMax: number;
  /** For messages that have not come whole, all calls together. */
  readonly room: MessageRoom;
  /** How long the client may leave the last of the answer unread. */
  readonly silenceMs: number;
  /** What its client allows it, in all. */
  readonly timeoutMs: number | undefined;
}

/** Told of what comes on a call. */
export interface CallEvents {
  message(bytes: Uint8Array): void;
  /** The client sends nothing more. */
  ended(): void;
}

/**
 * One call of a client:
 *
 *     open ──end, fail, deadline──▶ ended ──client has read it, or is gone──▶ closed
 *       └──client is gone─────────────────────────────────────────────────────▲
 */
export class GrpcCall {
  readonly #input: GrpcCallInput;
  readonly #deadline: MonotonicMs | undefined;
  #reader: MessageReader | undefined;
  #cancelDeadline: Cancel = () => {};
  #whenOver: () => void = () => {};
  /** How it ended, once it has. */
  #status: GrpcStatus | undefined;
  #isOver = false;

  constructor(input: GrpcCallInput) {
    this.#input = input;
    const { stream, clock, timeoutMs } = input;
    if (timeoutMs !== undefined) {
      this.#deadline = clock.monotonicMs() + timeoutMs;
      this.#cancelDeadline = clock.at(this.#deadline, () => this.#expire());
    }
    stream.on("aborted", () => this.#over());
    stream.on("error", () => this.#over());
    stream.on("close", () => this.#over());
  }

  /** True if nobody waits for an answer any more, or the whole answer was given. */
  get isOver(): boolean {
    return this.#isOver || this.#status !== undefined;
  }

  get isPaused(): boolean {
    return this.#reader?.isPaused === true;
  }

  /** Messages that were written and have not left. */
  get bytesUnsent(): number {
    return this.#input.stream.writableLength;
  }

  /** What is left until the deadline of the call; `undefined` if it has none. */
  get leftMs(): number | undefined {
    if (this.#deadline === undefined) return undefined;
    return this.#deadline - this.#input.clock.monotonicMs();
  }

  /** Begins to tell of what comes. */
  read(events: CallEvents): void {
    const { stream, clock, messageBytesMax, room } = this.#input;
    this.#reader = new MessageReader(stream, {
      clock,
      messageBytesMax,
      room,
      turnBytesMax,
      onMessage: (bytes) => events.message(bytes),
      onEnd: () => events.ended(),
      onProblem: (problem) => {
        this.fail(statusOfProblem(problem));
        this.#over();
      },
    });
    if (this.isOver) this.#reader.stop();
  }

  /** `onOver` is called once: the client is gone, or has taken all, or the deadline has passed. */
  whenOver(onOver: () => void): void {
    if (this.#isOver) onOver();
    else this.#whenOver = onOver;
  }

  /** `onSent` is called when the message has left, or never will. */
  write(message: Uint8Array, onSent: () => void = () => {}): void {
    const { stream } = this.#input;
    if (this.isOver || !this.#respond()) return;
    writeFramed(stream, message, onSent);
  }

  /** Reads nothing more from the client, until {@link GrpcCall.resume}. */
  pause(): void {
    this.#reader?.pause();
  }

  resume(): void {
    this.#reader?.resume();
  }

  /** Ends the call in order, after what was written and perhaps a last message. */
  end(message?: Uint8Array): void {
    if (this.isOver) return;
    if (message !== undefined) this.write(message);
    this.#finish({ status: "OK", details: "" });
  }

  /** Ends the call with an error, after what was written. */
  fail(status: GrpcStatus): void {
    if (!this.isOver) this.#finish(status);
  }

  #expire(): void {
    this.fail({ status: "DEADLINE_EXCEEDED", details: "the deadline of the call has passed" });
    this.#over();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelDeadline();
    this.#whenOver();
  }

  /** Sends the headers, unless they were; false if the stream is gone. */
  #respond(): boolean {
    const { stream } = this.#input;
    if (stream.headersSent) return true;
    if (stream.destroyed || stream.closed) return false;
    stream.on("wantTrailers", () => {
      if (stream.destroyed || this.#status === undefined) return;
      stream.sendTrailers(trailersOf(this.#status));
      this.#closeSoon();
    });
    stream.respond(responseHeaders, { waitForTrailers: true });
    return true;
  }

  #finish(status: GrpcStatus): void {
    const { stream, silenceMs } = this.#input;
    this.#status = status;
    this.#cancelDeadline();
    this.#reader?.stop();
    if (stream.destroyed || stream.closed) return;
    stream.setTimeout(silenceMs, () => stream.close(constants.NGHTTP2_CANCEL));
    if (stream.headersSent) stream.end();
    else {
      stream.respond({ ...responseHeaders, ...trailersOf(status) }, { endStream: true });
      this.#closeSoon();
    }
  }

  /** A client that still writes is told that nobody reads it, once the status is on its way. */
  #closeSoon(): void {
    const { stream } = this.#input;
    if (this.#reader?.hasEnded === true) return;
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  }
}

function statusOfProblem({ kind, message }: FrameProblem): GrpcStatus {
  if (kind === "crowded") return statusOf(refusal({ code: "overloaded", message }));
  return { status: problemStatuses[kind], details: message };
}
