import type { Server } from "@grpc/grpc-js";
import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/**
 * The HTTP/2 servers inside a listening grpc-js server, for what its interface does not offer. They
 * are found by name, and may not be: {@link isFound}. Without them peers have the small window, and
 * connections end in order instead of at once; nothing else changes.
 */
export class InnerServers {
  readonly #servers: readonly Http2Server[];
  readonly #sockets = new Set<Socket>();

  constructor(server: Server) {
    const inner: unknown = Reflect.get(server, "http2Servers");
    this.#servers = inner instanceof Map ? [...inner.keys()].filter(isHttp2Server) : [];
    for (const each of this.#servers) {
      each.on("connection", (socket: Socket) => {
        this.#sockets.add(socket);
        socket.once("close", () => this.#sockets.delete(socket));
      });
    }
  }

  get isFound(): boolean {
    return this.#servers.length > 0;
  }

  /**
   * Lets peers have `bytes` in flight, whatever the round trip takes. grpc-js honours
   * `grpc-node.flow_control_window` in its client only; its server keeps HTTP/2's 64 KB, which at
   * a round trip of 10 ms is 6 MB/s. Both the stream's window and the connection's count.
   */
  raiseWindow(bytes: number): void {
    for (const each of this.#servers) {
      each.updateSettings({ initialWindowSize: bytes });
      each.on("session", (session: ServerHttp2Session) => session.setLocalWindowSize(bytes));
    }
  }

  /** Takes at most so many connections at each; more are closed. */
  limitConnections(max: number): void {
    for (const each of this.#servers) Reflect.set(each, "maxConnections", max);
  }

  /** Cuts every connection, with what is unread in it. */
  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function isHttp2Server(value: unknown): value is Http2Server {
  if (typeof value !== "object" || value === null) return false;
  return (
    typeof Reflect.get(value, "updateSettings") === "function" &&
    typeof Reflect.get(value, "on") === "function"
  );
}
