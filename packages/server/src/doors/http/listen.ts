import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import type { Hono } from "hono";
import { hostOf, portOf } from "../../config/load-config.ts";

export interface HttpDoor {
  /** `host:port`, with the port the system chose if 0 was asked for. */
  readonly address: string;
  /** Takes no new connections, ends idle ones, and resolves when the last has ended. */
  close(): Promise<void>;
}

export type ListenOutcome =
  | { readonly ok: true; readonly door: HttpDoor }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** A slow client may hold a connection, and nothing else. */
const timeouts = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 60_000 };

/** Opens the door at `address`. */
export function listenHttp(
  app: Hono,
  address: string,
  connectionsMax: number,
): Promise<ListenOutcome> {
  return new Promise((resolve) => {
    const server = serve({
      fetch: app.fetch,
      hostname: hostOf(address),
      port: portOf(address),
      serverOptions: { maxHeaderSize: 32 * 1024, noDelay: true, ...timeouts },
    }) as Server;
    server.maxConnections = connectionsMax;
    server.once("error", (error: NodeJS.ErrnoException) => {
      resolve({ ok: false, code: error.code ?? "unknown", message: error.message });
    });
    server.once("listening", () => {
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : portOf(address);
      const name = `${address.slice(0, address.lastIndexOf(":"))}:${port}`;
      resolve({ ok: true, door: { address: name, close: () => closeServer(server) } });
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Keep-alive connections end after the answer they wait for.
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  });
}
