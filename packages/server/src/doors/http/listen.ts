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
  /** Without a byte moving, while it should read an answer. */
  readonly silenceMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
}

/** What a slow or idle client may hold is one connection, and not for long. */
const usualPatience: HttpPatience = {
  headersMs: 10_000,
  requestMs: 60_000,
  idleMs: 60_000,
  silenceMs: 120_000,
  checkMs: 1000,
};

const headerBytesMax = 32 * 1024;

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
      resolve({ ok: true, door: new OpenHttpDoor(server, address) });
    });
  });
}

/** A connection with requests in flight. */
interface BusyConnection {
  requests: number;
  /** The latest of them. */
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

class OpenHttpDoor implements HttpDoor {
  readonly address: string;
  readonly #server: Server;
  readonly #busy = new Map<Socket, BusyConnection>();
  #connections = 0;
  #listener: Listener = () => undefined;
  #isClosing = false;

  constructor(server: Server, asked: string) {
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : portOf(asked);
    this.address = withPort(asked, port);
    this.#server = server;
    const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
      this.#answer(incoming, outgoing);
    server.on("connection", (socket: Socket) => {
      this.#connections += 1;
      socket.once("close", () => (this.#connections -= 1));
    });
    server.on("request", onRequest);
    // Who asks before it sends a body is told to go on when somebody reads it, or else refused.
    server.on("checkContinue", onRequest);
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
    this.#listener = listenerOf(refuseWhileClosing);
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    clearTimeout(timer);
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    const requests = (this.#busy.get(socket)?.requests ?? 0) + 1;
    this.#busy.set(socket, { requests, incoming, outgoing });
    outgoing.once("close", () => this.#answered(socket));
    this.#listener(incoming, outgoing);
  }

  /**
   * A request that is answered while it arrives may take as long as it goes on: its route sees to
   * that, and the limit of silence.
   */
  #isStreaming(socket: Socket): boolean {
    const { incoming, outgoing } = this.#busy.get(socket) ?? {};
    return incoming?.complete === false && outgoing?.headersSent === true;
  }

  /** Anything sent before the answers under way would be taken for one of them. */
  #mayAnswer(socket: Socket): boolean {
    const busy = this.#busy.get(socket);
    if (busy === undefined) return true;
    const { requests, incoming, outgoing } = busy;
    return requests === 1 && !incoming.complete && !outgoing.headersSent;
  }

  #answered(socket: Socket): void {
    const busy = this.#busy.get(socket);
    if (busy !== undefined && busy.requests > 1) busy.requests -= 1;
    else this.#busy.delete(socket);
    if (this.#isClosing) setImmediate(() => this.#server.closeIdleConnections());
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
