import { type ServerHttp2Stream, constants } from "node:http2";
import { type GrpcStatus, trailersOf } from "../../http2/grpc-status.ts";
import { type FrameProblem, writeFramed } from "../../http2/message-frames.ts";
import { MessageReader } from "../../http2/message-reader.ts";
import type { PeerListenerInput, ServedCall } from "../transport.ts";

/** Of one turn: a few whole messages, which are then one group of the log. */
const turnBytesMax = 256 * 1024;

const problemStatuses: Readonly<Record<FrameProblem["kind"], GrpcStatus["status"]>> = {
  compressed: "UNIMPLEMENTED",
  "too-large": "RESOURCE_EXHAUSTED",
  cut: "INVALID_ARGUMENT",
  crowded: "RESOURCE_EXHAUSTED",
};

const failureStatuses = {
  aborted: "ABORTED",
  malformed: "INVALID_ARGUMENT",
  unsupported: "FAILED_PRECONDITION",
} as const;

/** One stream of a peer, at the end that answers. */
export class Http2Call implements ServedCall {
  readonly #stream: ServerHttp2Stream;
  #reader: MessageReader | undefined;
  #failed: GrpcStatus | undefined;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** Answers the headers, and tells of what comes. */
  serve({ clock, options, onCall }: PeerListenerInput): void {
    const stream = this.#stream;
    stream.on("wantTrailers", () => {
      stream.sendTrailers(trailersOf(this.#failed ?? { status: "OK", details: "" }));
      // The peer may still be writing what nobody reads any more.
      if (this.#failed !== undefined) setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
    });
    stream.respond(
      { [constants.HTTP2_HEADER_STATUS]: 200, "content-type": "application/grpc+proto" },
      { waitForTrailers: true },
    );
    const events = onCall(this);
    this.#reader = new MessageReader(stream, {
      clock,
      messageBytesMax: options.messageBytesMax,
      turnBytesMax,
      onMessage: (bytes) => events.message(bytes),
      onEnd: () => events.ended(),
      onProblem: ({ kind, message }) => {
        this.#finish({ status: problemStatuses[kind], details: message });
        events.over();
      },
    });
    stream.on("aborted", () => events.over());
    stream.on("error", () => events.over());
    stream.on("close", () => events.over());
  }

  write(message: Uint8Array, sent: () => void): void {
    if (this.#stream.writable) writeFramed(this.#stream, message, sent);
  }

  pause(): void {
    this.#reader?.pause();
  }

  resume(): void {
    this.#reader?.resume();
  }

  end(): void {
    this.#stream.end();
  }

  fail(code: keyof typeof failureStatuses, details: string): void {
    this.#finish({ status: failureStatuses[code], details });
  }

  /** Says why, and reads no further. */
  #finish(status: GrpcStatus): void {
    if (this.#failed !== undefined) return;
    this.#failed = status;
    this.#reader?.stop();
    this.#stream.end();
  }
}

/** Answers a request for a method that does not exist. */
export function refuseCall(stream: ServerHttp2Stream): void {
  stream.on("error", () => stream.destroy());
  const details = "there is no such method at this port";
  stream.respond(
    {
      [constants.HTTP2_HEADER_STATUS]: 200,
      "content-type": "application/grpc+proto",
      ...trailersOf({ status: "UNIMPLEMENTED", details }),
    },
    { endStream: true },
  );
  stream.close(constants.NGHTTP2_NO_ERROR);
}
