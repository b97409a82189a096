import { type ServerHttp2Stream, constants } from "node:http2";
import type { PeerOptions } from "../peer-options.ts";
import type { ServedCall, ServedCallEvents } from "../transport.ts";
import { MessageFrames, frame } from "./message-frames.ts";

/** gRPC's numbers of the statuses that a stream between nodes ends with. */
const grpcStatus = { ok: 0, malformed: 3, "too-large": 8, aborted: 10, unimplemented: 12 } as const;

/** One stream of a peer, at the end that answers. */
export class Http2Call implements ServedCall {
  readonly #stream: ServerHttp2Stream;
  #status: keyof typeof grpcStatus = "ok";
  #details = "";

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** Answers the headers, and tells of what comes. */
  serve(options: PeerOptions, onCall: (call: ServedCall) => ServedCallEvents): void {
    const stream = this.#stream;
    stream.on("wantTrailers", () => {
      stream.sendTrailers({
        "grpc-status": String(grpcStatus[this.#status]),
        "grpc-message": encodeURIComponent(this.#details),
      });
      // The peer may still be writing what nobody reads any more.
      if (this.#status !== "ok") setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
    });
    stream.respond(
      { [constants.HTTP2_HEADER_STATUS]: 200, "content-type": "application/grpc+proto" },
      { waitForTrailers: true },
    );
    const events = onCall(this);
    const frames = new MessageFrames(options.messageBytesMax, (bytes) => events.message(bytes));
    stream.on("data", (chunk: Uint8Array) => {
      const problem = frames.feed(chunk);
      if (problem === undefined) return;
      this.#finish("too-large", problem);
      events.over();
    });
    stream.on("end", () => {
      if (!frames.isBetweenMessages) this.#finish("malformed", "the stream ends within a message");
      events.ended();
    });
    stream.on("aborted", () => events.over());
    stream.on("error", () => events.over());
    stream.on("close", () => events.over());
  }

  write(message: Uint8Array, sent: () => void): void {
    if (this.#stream.writable) this.#stream.write(frame(message), sent);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  fail(code: "aborted" | "malformed", details: string): void {
    this.#finish(code, details);
  }

  /** Says why, and reads no further. */
  #finish(status: keyof typeof grpcStatus, details: string): void {
    if (this.#status !== "ok") return;
    this.#status = status;
    this.#details = details;
    this.#stream.removeAllListeners("data");
    this.#stream.end();
  }
}

/** Answers a request for a method that does not exist. */
export function refuseCall(stream: ServerHttp2Stream): void {
  stream.on("error", () => stream.destroy());
  stream.respond(
    {
      [constants.HTTP2_HEADER_STATUS]: 200,
      "content-type": "application/grpc+proto",
      "grpc-status": String(grpcStatus.unimplemented),
      "grpc-message": "there is no such method at this port",
    },
    { endStream: true },
  );
  stream.close(constants.NGHTTP2_NO_ERROR);
}
