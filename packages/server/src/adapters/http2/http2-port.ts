import type { Clock } from "@coterie/ports";
import {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  createServer,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { SessionKeepalive } from "./session-keepalive.ts";

export interface Http2PortOptions {
  /** Open at once; more are closed. */
  readonly connectionsMax: number;
  /** Of one connection. */
  readonly streamsMax: number;
  /** HTTP/2 receive window: bytes in flight, whatever the round trip takes. */
  readonly receiveWindowBytes: number;
  /** How often a connection must show that somebody is there. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

export interface Http2PortInput {
  readonly clock: Clock;
  readonly options: Http2PortOptions;
  readonly onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
}

/** What became of listening: the port, which the system chose if it was asked for 0. */
export type Http2ListenOutcome =
  | { readonly ok: true; readonly port: number }
  | { readonly ok: false; readonly message: string };

/** Of the headers of one request, as HTTP/2 counts them; gRPC's are some hundred bytes. */
const headerBytesMax = 16 * 1024;

/** A port that takes HTTP/2 without TLS, and bounds who is connected and what is under way. */
export class Http2Port {
  readonly #input: Http2PortInput;
  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(input: Http2PortInput) {
    this.#input = input;
    const { options, onStream } = input;
    this.#server = createServer({
      settings: {
        initialWindowSize: options.receiveWindowBytes,
        maxConcurrentStreams: options.streamsMax,
        maxHeaderListSize: headerBytesMax,
      },
      // A value may be larger than the default, and each stream bounds what it holds unsent.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    // What node:http2's types leave out of its server, which is one of node:net.
    Reflect.set(this.#server, "maxConnections", options.connectionsMax);
    this.#server.on("connection", (socket: Socket) => {
      socket.setNoDelay();
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("session", (session) => this.#greet(session));
    this.#server.on("stream", onStream);
  }

  /** Open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Listens; port 0 lets the system choose. */
  listen(host: string, port: number): Promise<Http2ListenOutcome> {
    const server = this.#server;
    return new Promise((resolve) => {
      const failed = (error: Error): void => resolve({ ok: false, message: error.message });
      server.once("error", failed);
      server.listen({ host, port }, () => {
        server.off("error", failed);
        const bound = server.address() as AddressInfo;
        resolve({ ok: true, port: bound.port });
      });
    });
  }

  /**
   * Takes no more connections, and tells every client to send no more calls; each connection ends
   * with its last call. Calls `onClosed` when all have ended.
   */
  drain(onClosed: () => void): void {
    this.#server.close(onClosed);
    for (const session of this.#sessions) session.close();
  }

  /** Cuts every connection and stops listening. */
  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #greet(session: ServerHttp2Session): void {
    const { clock, options } = this.#input;
    this.#sessions.add(session);
    session.setLocalWindowSize(options.receiveWindowBytes);
    const keepalive = new SessionKeepalive(session, { clock, options }, () => session.destroy());
    session.on("close", () => {
      keepalive.stop();
      this.#sessions.delete(session);
    });
    // What a broken connection means, its streams say.
    session.on("error", () => session.destroy());
  }
}
