import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { hostOf, portOf, withPort } from "../../config/addresses.ts";
import { answerBrokenRequest } from "./broken-request.ts";
import { refuse } from "./responses.ts";

export interface HttpDoor {
  /** `host:port`, with the port the system chose if 0 was asked for. */
  readonly address: string;
  /** Open connections. */
  readonly connections: number;
  /** Answers with `app` from now on; called in the turn in which the door was opened. */
  serve(app: Hono): void;
  /**
   * Takes no new connections and refuses new requests; resolves when those in flight are answered,
   * or when `graceMs` are over and what is left was cut off.
   */
  close(graceMs: number): Promise<void>;
}

export type ListenOutcome =
  | { readonly ok: true; readonly door: HttpDoor }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface ListenOptions {
  /** `host:port`. */
  readonly address: string;
  readonly connectionsMax: number;
  readonly patience?: HttpPatience;
}

/** How long a connection may take for things, in milliseconds. */
export interface HttpPatience {
  /** To send a request's headers. */
  readonly headersMs: number;
  /** To send a request, whole. */
  readonly requestMs: number;
  /** Between requests. */
  readonly idleMs: number;
  /** Without a byte moving, in either direction. */
  readonly silenceMs: number;
  /** To take what was written to it at once: an answer, or a part of a large one. */
  readonly takeMs: number;
  /** How often headers, requests and takers are looked at. */
  readonly checkMs: number;
}

/** What a slow or idle client may hold is one connection, and not for long. */
const usualPatience: HttpPatience = {
  headersMs: 10_000,
  requestMs: 60_000,
  idleMs: 60_000,
  silenceMs: 120_000,
  takeMs: 60_000,
  checkMs: 1000,
};

const headerBytesMax = 32 * 1024;

/** Requests of one connection that wait for the one before them, above which it is not read. */
const waitingMax = 16;

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => unknown;

/** Opens the door; nothing is answered before {@link HttpDoor.serve}. */
export function listenHttp(options: ListenOptions): Promise<ListenOutcome> {
  const { address, connectionsMax, patience = usualPatience } = options;
  const server = createServer({
    maxHeaderSize: headerBytesMax,
    headersTimeout: patience.headersMs,
    requestTimeout: patience.requestMs,
    keepAliveTimeout: patience.idleMs,
    connectionsCheckingInterval: patience.checkMs,
    noDelay: true,
  });
  server.setTimeout(patience.silenceMs);
  server.maxConnections = connectionsMax;
  // Their bytes are limited; beyond a number of them, Node would drop them without a word.
  server.maxHeadersCount = 0;
  return new Promise((resolve) => {
    // Of an open door, errors concern a connection that could not be taken: its client knows.
    server.on("error", ({ code, message }: NodeJS.ErrnoException) => {
      resolve({ ok: false, code: code ?? "unknown", message });
    });
    server.listen(portOf(address), hostOf(address), () => {
      resolve({ ok: true, door: new OpenHttpDoor(server, address, patience) });
    });
  });
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** A connection with a request in flight. */
interface BusyConnection {
  readonly current: Exchange;
  /** Sent without waiting for its answer. */
  readonly waiting: Exchange[];
  /** Bytes written to the connection when it last took some, and when that was seen. */
  bytesWritten: number;
  takenMs: number;
}

class OpenHttpDoor implements HttpDoor {
  readonly address: string;
  readonly #server: Server;
  readonly #busy = new Map<Socket, BusyConnection>();
  #connections = 0;
  #listener: Listener = () => undefined;
  #isClosing = false;
  readonly #checks: NodeJS.Timeout;

  constructor(server: Server, asked: string, { takeMs, checkMs }: HttpPatience) {
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : portOf(asked);
    this.address = withPort(asked, port);
    this.#server = server;
    this.#checks = setInterval(() => this.#cutIdleTakers(takeMs), checkMs).unref();
    const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
      this.#answer(incoming, outgoing);
    server.on("connection", (socket: Socket) => {
      this.#connections += 1;
      socket.once("close", () => (this.#connections -= 1));
    });
    server.on("request", onRequest);
    // Who asks before it sends a body is told to go on when somebody reads it, or else refused.
    server.on("checkContinue", onRequest);
    server.on("connect", (_, socket) => {
      const error = Object.assign(new Error("this is no proxy"), { code: "CONNECT" });
      answerBrokenRequest(error, socket as Socket, this.#mayAnswer(socket as Socket));
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && this.#isStreaming(socket as Socket)) return;
      answerBrokenRequest(error, socket as Socket, this.#mayAnswer(socket as Socket));
    });
  }

  get connections(): number {
    return this.#connections;
  }

  serve(app: Hono): void {
    this.#listener = listenerOf(app.fetch);
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#checks);
    this.#listener = listenerOf(refuseWhileClosing);
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    clearTimeout(timer);
  }

  /**
   * One request of a connection at a time: answers go out in order, so that those of later ones
   * would only wait in memory. A few bytes can ask for a thousand large values.
   */
  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    const waiting = this.#busy.get(socket)?.waiting;
    if (waiting === undefined) return this.#begin(socket, { incoming, outgoing }, []);
    waiting.push({ incoming, outgoing });
    if (waiting.length === waitingMax) socket.pause();
  }

  #begin(socket: Socket, current: Exchange, waiting: Exchange[]): void {
    const { bytesWritten } = socket;
    const takenMs = performance.now();
    this.#busy.set(socket, { current, waiting, bytesWritten, takenMs });
    current.outgoing.once("close", () => this.#answered(socket, waiting));
    this.#listener(current.incoming, current.outgoing);
  }

  /**
   * A request that is answered while it arrives may take as long as it goes on: its route sees to
   * that, and the limit of silence.
   */
  #isStreaming(socket: Socket): boolean {
    const { incoming, outgoing } = this.#busy.get(socket)?.current ?? {};
    return incoming?.complete === false && outgoing?.headersSent === true;
  }

  /** Anything sent before the answers under way would be taken for one of them. */
  #mayAnswer(socket: Socket): boolean {
    const busy = this.#busy.get(socket);
    if (busy === undefined) return true;
    const { current, waiting } = busy;
    return waiting.length === 0 && !current.incoming.complete && !current.outgoing.headersSent;
  }

  #answered(socket: Socket, waiting: Exchange[]): void {
    const next = socket.destroyed ? undefined : waiting.shift();
    if (next !== undefined) {
      if (waiting.length === 0 && socket.isPaused()) socket.resume();
      return this.#begin(socket, next, waiting);
    }
    this.#busy.delete(socket);
    if (this.#isClosing) setImmediate(() => this.#server.closeIdleConnections());
  }

  /** A client that does not take its answer holds memory that others need. */
  #cutIdleTakers(takeMs: number): void {
    const now = performance.now();
    for (const [socket, busy] of this.#busy) {
      if (socket.writableLength === 0 || socket.bytesWritten !== busy.bytesWritten) {
        busy.bytesWritten = socket.bytesWritten;
        busy.takenMs = now;
      } else if (now - busy.takenMs >= takeMs) {
        socket.destroy();
      }
    }
  }
}

function listenerOf(fetch: (request: Request) => Response | Promise<Response>): Listener {
  return getRequestListener(fetch, {
    hostname: "localhost",
    errorHandler: (error) =>
      refuse("bad-request", `the request's target or Host is malformed: ${String(error)}`),
  });
}

function refuseWhileClosing(request: Request): Response {
  if (new URL(request.url).pathname === "/livez") return new Response("ok\n");
  const response = refuse("shutting-down", "the node is shutting down");
  response.headers.set("Connection", "close");
  return response;
}
