import { type Http2Server, type ServerHttp2Session, constants, createServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { replicatePath } from "../peer-options.ts";
import type { ListenOutcome, PeerListener, PeerListenerInput } from "../transport.ts";
import { Http2Call, refuseCall } from "./http2-call.ts";
import { SessionKeepalive } from "./session-keepalive.ts";

/** Takes the streams of peers over HTTP/2, framed as gRPC frames them. */
export class Http2Listener implements PeerListener {
  readonly #input: PeerListenerInput;
  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();

  constructor(input: PeerListenerInput) {
    this.#input = input;
    const { options, onCall } = input;
    this.#server = createServer({
      settings: {
        initialWindowSize: options.receiveWindowBytes,
        maxConcurrentStreams: options.streamsMax,
      },
      // A record may be larger than the default, and each stream bounds what it holds unsent.
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
    this.#server.on("stream", (stream, headers) => {
      if (headers[constants.HTTP2_HEADER_PATH] !== replicatePath) refuseCall(stream);
      else new Http2Call(stream).serve(options, onCall);
    });
  }

  listen(host: string, port: number): Promise<ListenOutcome> {
    const server = this.#server;
    return new Promise((resolve) => {
      const failed = (error: Error): void => resolve({ ok: false, message: error.message });
      server.once("error", failed);
      server.listen({ host, port }, () => {
        server.off("error", failed);
        const bound = server.address() as AddressInfo;
        resolve({ ok: true, port: bound.port, isWindowRaised: true });
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #greet(session: ServerHttp2Session): void {
    const { clock, options } = this.#input;
    session.setLocalWindowSize(options.receiveWindowBytes);
    const keepalive = new SessionKeepalive(session, { clock, options }, () => session.destroy());
    session.on("close", () => keepalive.stop());
    // What a broken connection means, its streams say.
    session.on("error", () => session.destroy());
  }
}
