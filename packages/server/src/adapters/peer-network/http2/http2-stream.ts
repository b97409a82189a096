import { invariant } from "@coterie/core";
import type { Cancel } from "@coterie/ports";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  connect as connectHttp2,
  constants,
} from "node:http2";
import { type Socket, connect as connectTcp } from "node:net";
import { hostOf, portOf } from "../../../config/addresses.ts";
import { MessageFrames, frame, writeFramed } from "../../http2/message-frames.ts";
import { SessionKeepalive } from "../../http2/session-keepalive.ts";
import { replicatePath } from "../peer-options.ts";
import type { PeerStream, PeerStreamInput } from "../transport.ts";

const portMax = 65_535;

/** A stream to a peer over HTTP/2, framed as gRPC frames it, and nothing else in between. */
export class Http2Stream implements PeerStream {
  readonly #input: PeerStreamInput;
  readonly #frames: MessageFrames;
  #socket: Socket | undefined;
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #keepalive: SessionKeepalive | undefined;
  #cancelConnect: Cancel = () => {};
  #isOpen = false;
  #isOver = false;

  constructor(input: PeerStreamInput) {
    const { address, clock, options } = input;
    this.#input = input;
    this.#frames = new MessageFrames(options.messageBytesMax);
    const port = portOf(address);
    if (!(port > 0 && port <= portMax && hostOf(address) !== "")) {
      clock.afterTurn(() => this.#break(`${address} is not an address`));
      return;
    }
    this.#cancelConnect = clock.at(clock.monotonicMs() + options.connectMs, () => {
      this.#break("the peer did not answer in time");
    });
    const socket = connectTcp({ host: hostOf(address), port, noDelay: true });
    this.#socket = socket;
    this.#session = connectHttp2(`http://${address}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: options.receiveWindowBytes },
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    this.#open(this.#session);
  }

  write(message: Uint8Array, sent: () => void): void {
    invariant(this.#isOpen, "operations are written to streams that have opened");
    if (this.#stream !== undefined) writeFramed(this.#stream, message, sent);
  }

  end(): void {
    if (this.#isOver) return;
    this.#over();
    this.#stream?.end();
    this.#session?.close();
    // A stopped peer does not take part in an orderly end.
    const { clock, options } = this.#input;
    const cut = clock.at(clock.monotonicMs() + options.keepaliveTimeoutMs, () => this.#cut());
    this.#socket?.once("close", cut);
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#over();
    this.#cut();
  }

  #open(session: ClientHttp2Session): void {
    const { clock, options, hello } = this.#input;
    session.on("error", (error) => this.#break(error.message));
    session.on("close", () => this.#break("the connection was closed"));
    session.once("connect", () => {
      if (this.#isOver) return;
      session.setLocalWindowSize(options.receiveWindowBytes);
      this.#keepalive = new SessionKeepalive(session, { clock, options }, () => {
        this.#break("the peer answers no ping");
      });
    });
    const stream = session.request(requestHeaders, { endStream: false });
    this.#stream = stream;
    stream.on("response", (headers) => this.#checkResponse(headers));
    stream.on("trailers", (headers) => this.#break(statusText(headers)));
    stream.on("data", (chunk: Uint8Array) => this.#take(chunk));
    stream.on("error", (error) => this.#break(error.message));
    stream.on("end", () => this.#break("the peer ended the stream"));
    stream.on("close", () => this.#break("the stream was closed"));
    stream.write(frame(hello));
  }

  #checkResponse(headers: IncomingHttpHeaders): void {
    const status: unknown = headers[constants.HTTP2_HEADER_STATUS];
    const contentType = headers["content-type"] ?? "";
    if (status !== 200) this.#break(`the peer answered with HTTP status ${String(status)}`);
    else if (headers["grpc-status"] !== undefined) this.#break(statusText(headers));
    else if (!contentType.startsWith("application/grpc")) this.#break("the peer speaks no gRPC");
  }

  #take(chunk: Uint8Array): void {
    if (this.#isOver) return;
    const frames = this.#frames;
    frames.add(chunk);
    for (let message = frames.next(); message !== undefined; message = frames.next()) {
      this.#receive(message);
    }
    if (frames.problem !== undefined) this.#break(frames.problem.message);
  }

  #receive(message: Uint8Array): void {
    if (this.#isOver) return;
    const isFirst = !this.#isOpen;
    this.#isOpen = true;
    if (isFirst) this.#cancelConnect();
    this.#input.onMessage(message);
    if (isFirst && !this.#isOver) this.#input.onOpen();
  }

  #break(reason: string): void {
    if (this.#isOver) return;
    this.destroy();
    this.#input.onBroken(reason);
  }

  #over(): void {
    this.#isOver = true;
    this.#cancelConnect();
    this.#keepalive?.stop();
  }

  #cut(): void {
    this.#session?.destroy();
    this.#socket?.destroy();
  }
}

const requestHeaders = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: replicatePath,
  "content-type": "application/grpc+proto",
  te: "trailers",
};

function statusText(headers: IncomingHttpHeaders): string {
  const message = headers["grpc-message"];
  const text = typeof message === "string" ? message : "the peer ended the stream";
  return `${String(headers["grpc-status"])} ${text}`;
}
