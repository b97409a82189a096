import { gzipSync } from "node:zlib";
import {
  endHeaders,
  endStream,
  frame,
  frameTypes,
  grpcHead,
  grpcMessage,
  indexedHeader,
  literalHeader,
  preface,
  setting,
  windowUpdate,
} from "./http2-frames.ts";
import type { HostileClient } from "./hostile-client.ts";

/** A gRPC port that is attacked. */
export interface AttackedPort {
  readonly port: number;
  /** A method with streams both ways. */
  readonly path: string;
  /** A message that the method answers. */
  readonly message: Uint8Array;
}

/** Does its worst over a connection; it ends when all was sent, or the node has closed it. */
export type Attack = (client: HostileClient, attacked: AttackedPort) => Promise<void>;

const settings = frame({ type: frameTypes.settings });
const hello = Buffer.concat([preface, settings]);
const { data, headers, continuation, ping, priority, resetStream } = frameTypes;

function call(stream: number, { path }: AttackedPort, flags: number = endHeaders): Buffer {
  return frame({ type: headers, flags, stream }, grpcHead(path));
}

/** Sends what `make` gives, many times. */
async function flood(
  client: HostileClient,
  times: number,
  make: (index: number) => Uint8Array,
): Promise<void> {
  const atOnce = 100;
  for (let index = 0; index < times && client.isOpen; index += atOnce) {
    const many = Array.from({ length: atOnce }, (_, offset) => make(index + offset));
    await client.send(Buffer.concat(many));
  }
}

/** Sends messages on one call. */
function callWith(...messages: readonly Uint8Array[]): Attack {
  return async (client, attacked) => {
    await client.send(Buffer.concat([hello, call(1, attacked)]));
    for (const message of messages) await client.send(frame({ type: data, stream: 1 }, message));
  };
}

const tlsHello = Buffer.from("16030100a5010000a10303", "hex");

/** What opens the connection is no HTTP/2, or goes wrong at once. */
const openings: Readonly<Record<string, Attack>> = {
  "garbage bytes": (client) => client.send(Buffer.alloc(100_000, 0xa5)),
  "HTTP/1": (client) => client.send(Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")),
  "a TLS hello": (client) => client.send(Buffer.concat([tlsHello, Buffer.alloc(200)])),
  "HTTP/2 and then garbage": (client) =>
    client.send(Buffer.concat([hello, Buffer.alloc(100_000, 0xff)])),
  "a preface, byte by byte, and no more": async (client) => {
    for (const byte of preface) await client.send(Buffer.of(byte));
  },
  "a frame longer than announced frames may be": (client) =>
    client.send(Buffer.concat([hello, frame({ type: data, claims: 0xff_ffff })])),
  "a frame of an unknown kind, many times": async (client) => {
    await client.send(hello);
    await flood(client, 20_000, () => frame({ type: 0x77 }, Buffer.alloc(10)));
  },
};

const pingFrame = frame({ type: ping }, Buffer.alloc(8));

/** Frames that cost the sender nothing, and acknowledgements or bookkeeping the node. */
const floods: Readonly<Record<string, Attack>> = {
  "settings, whose acknowledgements are not read": async (client) => {
    client.stopReading();
    await client.send(hello);
    await flood(client, 50_000, () => settings);
  },
  "pings, whose answers are not read": async (client) => {
    client.stopReading();
    await client.send(hello);
    await flood(client, 50_000, () => pingFrame);
  },
  "priorities of streams that are none": async (client) => {
    await client.send(hello);
    const payload = Buffer.from([0, 0, 0, 0, 1]);
    await flood(client, 20_000, (at) => frame({ type: priority, stream: at * 2 + 1 }, payload));
  },
  "calls that are reset at once": async (client, attacked) => {
    await client.send(hello);
    const cancel = Buffer.from([0, 0, 0, 8]);
    await flood(client, 10_000, (at) =>
      Buffer.concat([
        call(at * 2 + 1, attacked),
        frame({ type: resetStream, stream: at * 2 + 1 }, cancel),
      ]),
    );
  },
  "calls that are never ended": async (client, attacked) => {
    await client.send(hello);
    await flood(client, 10_000, (at) => call(at * 2 + 1, attacked));
  },
  "empty data": async (client, attacked) => {
    await client.send(Buffer.concat([hello, call(1, attacked)]));
    await flood(client, 50_000, () => frame({ type: data, stream: 1 }));
  },
  "window updates of zero": async (client, attacked) => {
    await client.send(Buffer.concat([hello, call(1, attacked)]));
    await flood(client, 10_000, () => windowUpdate(1, 0));
  },
  "window updates beyond the largest window": async (client, attacked) => {
    await client.send(Buffer.concat([hello, call(1, attacked)]));
    await flood(client, 100, () => windowUpdate(0, 0x7fff_ffff));
  },
};

/** Heads that grow in the node's memory. */
const heads: Readonly<Record<string, Attack>> = {
  "a head that never ends": async (client, { path }) => {
    await client.send(Buffer.concat([hello, frame({ type: headers, stream: 1 }, grpcHead(path))]));
    const more = literalHeader("x-more", "x".repeat(8000));
    await flood(client, 5000, () => frame({ type: continuation, stream: 1 }, more));
  },
  "a head that never ends, in empty pieces": async (client, { path }) => {
    await client.send(Buffer.concat([hello, frame({ type: headers, stream: 1 }, grpcHead(path))]));
    await flood(client, 50_000, () => frame({ type: continuation, stream: 1 }));
  },
  "a header of 4000 bytes, 12 000 times in 12 000 bytes": async (client, { path }) => {
    await client.send(hello);
    const large = indexedHeader("x-large", "x".repeat(3900));
    await flood(client, 100, (at) => {
      const bomb = Buffer.concat([large, Buffer.alloc(12_000, 0xbe)]);
      const head = { type: headers, flags: endHeaders | endStream, stream: at * 2 + 1 };
      return frame(head, grpcHead(path, bomb));
    });
  },
  "a method that there is not": async (client) => {
    await client.send(hello);
    await flood(client, 1000, (at) =>
      frame(
        { type: headers, flags: endHeaders | endStream, stream: at * 2 + 1 },
        grpcHead("/__proto__/constructor"),
      ),
    );
  },
  "headers that HTTP/2 forbids": async (client, { path }) => {
    await client.send(hello);
    const forbidden = Buffer.concat([
      literalHeader("connection", "close"),
      literalHeader("X-UPPER", "x"),
      literalHeader(":path", path),
      literalHeader("grpc-timeout", "99999999999999999H"),
      literalHeader("bad\r\nname", "x\0y"),
    ]);
    await flood(client, 1000, (at) =>
      frame({ type: headers, flags: endHeaders, stream: at * 2 + 1 }, grpcHead(path, forbidden)),
    );
  },
};

const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));

/** Messages that lie. */
const messages: Readonly<Record<string, Attack>> = {
  "a message of 4 GiB announced, and some bytes of it": callWith(
    grpcMessage(Buffer.alloc(1000), 0xffff_ffff),
  ),
  "a message of 30 MiB announced, and one byte of it": callWith(
    grpcMessage(Buffer.alloc(1), 30 * 1024 * 1024),
  ),
  "a message of 30 MiB announced, and a byte of it at a time": async (client, attacked) => {
    const start = frame({ type: data, stream: 1 }, grpcMessage(Buffer.of(), 30 * 1024 * 1024));
    await client.send(Buffer.concat([hello, call(1, attacked), start]));
    await flood(client, 400_000, () => frame({ type: data, stream: 1 }, Buffer.of(7)));
  },
  "a message that says it is compressed, and is not announced so": callWith(
    grpcMessage(Buffer.alloc(1000), 1000, 1),
  ),
  "a message that decompresses to 64 MiB": async (client, { path }) => {
    const encoding = literalHeader("grpc-encoding", "gzip");
    const head = frame({ type: headers, flags: endHeaders, stream: 1 }, grpcHead(path, encoding));
    await client.send(Buffer.concat([hello, head]));
    const message = grpcMessage(bomb, bomb.length, 1);
    for (let at = 0; at < message.length; at += 16_384) {
      await client.send(frame({ type: data, stream: 1 }, message.subarray(at, at + 16_384)));
    }
  },
  "messages of garbage, one per call": async (client, attacked) => {
    await client.send(hello);
    await flood(client, 1000, (at) =>
      Buffer.concat([
        call(at * 2 + 1, attacked),
        frame({ type: data, flags: endStream, stream: at * 2 + 1 }, grpcMessage(Buffer.of(at, 7))),
      ]),
    );
  },
  "fields that contradict each other": callWith(
    grpcMessage(Buffer.from([0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 200, 0x12, 3, 0x0d, 1, 2])),
  ),
  "empty messages, as many as fit": async (client, attacked) => {
    await client.send(Buffer.concat([hello, call(1, attacked)]));
    const empties = Buffer.concat(Array.from({ length: 3000 }, () => grpcMessage(Buffer.alloc(0))));
    await flood(client, 100, () => frame({ type: data, stream: 1 }, empties));
  },
  "requests, whose answers are not read": async (client, attacked) => {
    client.stopReading();
    // No window at all: not a byte of an answer may be sent.
    await client.send(Buffer.concat([preface, setting(4, 0), call(1, attacked)]));
    const request = frame({ type: data, stream: 1 }, grpcMessage(attacked.message));
    await flood(client, 20_000, () => request);
  },
};

/** Every attack by its name, for any port that speaks gRPC. */
export const attacks: Readonly<Record<string, Attack>> = {
  ...openings,
  ...floods,
  ...heads,
  ...messages,
};
