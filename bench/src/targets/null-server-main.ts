// The process of a null server: answers every request of one protocol at once, with nothing behind
// it, so that what is measured against it is the generator's own ceiling.
import { once } from "node:events";
import {
  type ClusterDocument,
  type NodeId,
  type PeerAddress,
  encodeDocument,
  formDocument,
  noFence,
} from "@coterie/core";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { PeerServer, SystemClock } from "@coterie/server";
import { serveNullPipe } from "./null-pipe.ts";
import type { Addresses } from "../drivers/driver.ts";
import type { DriverName } from "../drivers/open-driver.ts";

const driver = process.argv[2] as DriverName;
const valueBytes = Number(process.argv[3]);
const value = Buffer.alloc(valueBytes, 118);

process.on("disconnect", () => process.exit());
process.send?.(await serve());

async function serve(): Promise<Addresses> {
  if (driver === "http") {
    return { http: [await listen(createServer({ noDelay: true }, answerHttp))] };
  }
  if (driver === "peer") {
    return { http: [await listen(createServer(answerHttp))], peer: [await servePeer()] };
  }
  if (driver === "pipe" || driver === "pipe-raw") return { grpc: [await serveNullPipe(value)] };
  if (driver === "redis") {
    return { redis: [await listen(createServer({ noDelay: true }, answerRedis))] };
  }
  throw new Error(`there is no null server for ${driver}`);
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function servePeer(): Promise<string> {
  const record = new Uint8Array(valueBytes + 50);
  const written = {
    kind: "written",
    context: "AQFYuZyKgoTbpgEAjy7pUA7xFJo",
    siblings: 1,
    primaries: 2,
    fallbacks: 0,
    record: undefined,
  } as const;
  const document = encodeDocument(documentOfOne());
  const server = new PeerServer({
    clock: new SystemClock(),
    receive: (request, _deadline, settle) => {
      if (request.kind === "ask") settle({ kind: "document", epoch: 1, document });
      else settle(request.kind === "read" ? { kind: "present", record, fence: noFence } : written);
    },
  });
  const listening = await server.listen("127.0.0.1", 0);
  if (!listening.ok) throw new Error(listening.message);
  return `127.0.0.1:${listening.port}`;
}

/** What a cluster of one node would answer with when it is asked. */
function documentOfOne(): ClusterDocument {
  const id = "null" as NodeId;
  const address = "127.0.0.1:1" as PeerAddress;
  const doors = { http: "", grpc: "", resp: "" };
  const member = { id, nonce: "00".repeat(16), address, ...doors, host: "", zone: "", weight: 1 };
  const settings = { partitions: 1, hash: "md5", nMax: 1, buckets: [] } as const;
  const formed = formDocument(settings, [member]);
  if (!formed.ok) throw new Error(formed.message);
  return formed.document;
}

/** One request at a time per connection, each begun after the last was answered. */
function answerHttp(socket: Socket): void {
  const context = "Coterie-Context: AQFYuZyKgoTbpgEAjy7pUA7xFJo\r\n";
  const found = Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${valueBytes}\r\n${context}\r\n`),
    value,
  ]);
  const cluster = '{"epoch":1,"digest":"00000000"}';
  const clusterHead = `HTTP/1.1 200 OK\r\nContent-Length: ${cluster.length}\r\n\r\n`;
  const stored = Buffer.from(`HTTP/1.1 204 No Content\r\n${context}\r\n`);
  let missing = 0;
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    if (missing > 0) {
      missing -= chunk.length;
    } else if (chunk[0] === 71) {
      const isCluster = chunk.toString("latin1", 4, 15) === "/v1/cluster";
      socket.write(isCluster ? clusterHead + cluster : found);
      return;
    } else {
      const end = chunk.indexOf("\r\n\r\n");
      const length = /\r\nContent-Length: (\d+)/u.exec(chunk.toString("latin1", 0, end))?.[1];
      missing = Number(length) - (chunk.length - end - 4);
    }
    if (missing <= 0) socket.write(stored);
  });
}

/** Answers whatever ends with WAIT or GET; the driver sends nothing else while it is measured. */
function answerRedis(socket: Socket): void {
  const found = Buffer.concat([Buffer.from(`$${valueBytes}\r\n`), value, Buffer.from("\r\n")]);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const isGet = chunk.toString("latin1", 8, 11) === "GET";
    if (isGet) socket.write(found);
    else if (chunk.includes("\r\nWAIT\r\n")) socket.write("+OK\r\n:1\r\n");
    else if (chunk[0] === 42 && !chunk.includes("SET")) socket.write("+OK\r\n");
  });
}
