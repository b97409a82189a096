import { setTimeout as sleep } from "node:timers/promises";
import { clientMethods } from "@coterie/protocol";
import { HostileClient } from "./hostile-client.ts";
import { endHeaders, frame, frameTypes, grpcHead, grpcMessage, preface } from "./http2-frames.ts";
import type { ProbeReading, WatchedNode } from "./watched-node.ts";

/** What each connection announces; below what a value may have. */
const announcedBytes = 4 * 1024 * 1024;
/** Of one frame of HTTP/2. */
const pieceBytes = 16 * 1024;
/** A flag of settings. */
const acknowledged = 1;
/** How many are opened side by side, and how long the node has to answer their hellos. */
const atOnce = 40;
const helloMs = 100;

/** A port that takes values: how one is begun, and how it goes on. */
interface ValuePort {
  readonly portOf: (node: WatchedNode) => number;
  /** Sent first; the node answers it. */
  readonly hello: Buffer;
  readonly head: Buffer;
  readonly piece: Buffer;
}

/** By what clients speak at them. */
export const valuePorts: Readonly<Record<string, ValuePort>> = {
  HTTP: {
    portOf: (node) => Number(node.http.split(":")[1]),
    hello: Buffer.of(),
    head: Buffer.from(
      "PUT /v1/buckets/default/keys/slow HTTP/1.1\r\nHost: localhost\r\n" +
        `Content-Length: ${announcedBytes}\r\n\r\n`,
    ),
    piece: Buffer.alloc(pieceBytes),
  },
  gRPC: {
    portOf: (node) => node.grpcPort,
    hello: Buffer.concat([preface, frame({ type: frameTypes.settings })]),
    head: Buffer.concat([
      // The node's settings are in force once they are acknowledged: among them its window.
      frame({ type: frameTypes.settings, flags: acknowledged }),
      frame(
        { type: frameTypes.headers, flags: endHeaders, stream: 1 },
        grpcHead(clientMethods.put),
      ),
      frame({ type: frameTypes.data, stream: 1 }, grpcMessage(Buffer.of(), announcedBytes)),
    ]),
    piece: frame({ type: frameTypes.data, stream: 1 }, Buffer.alloc(pieceBytes)),
  },
};

/** A node before, and with, connections whose values do not come whole. */
export interface SlowBodyReadings {
  readonly before: ProbeReading;
  readonly during: ProbeReading;
  readonly servedDuring: boolean;
  /** Connections that the node has not closed. */
  readonly left: number;
}

/** On each of so many connections begins to send a value, of which so many bytes come. */
export async function slowBodyReadings(
  node: WatchedNode,
  { portOf, hello, head, piece }: ValuePort,
  { count, bytes }: { readonly count: number; readonly bytes: number },
): Promise<SlowBodyReadings> {
  await node.serves();
  const before = await node.read();
  const port = portOf(node);
  const clients: HostileClient[] = [];
  try {
    const begin = async (): Promise<void> => {
      const client = await HostileClient.open(port);
      clients.push(client);
      await client.send(hello);
      await sleep(helloMs);
      await client.send(head);
      for (let sent = 0; sent < bytes && client.isOpen; sent += piece.length) {
        await client.send(piece);
      }
    };
    while (clients.length < count) {
      await Promise.all(Array.from({ length: Math.min(atOnce, count - clients.length) }, begin));
    }
    // What is in sockets' buffers is read by then.
    await sleep(1000);
    const servedDuring = await node.serves();
    const during = await node.read();
    const left = clients.filter(({ isOpen }) => isOpen).length;
    return { before, during, servedDuring, left };
  } finally {
    for (const client of clients) client.close();
  }
}
