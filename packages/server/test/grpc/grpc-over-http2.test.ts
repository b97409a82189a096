import {
  PipeRequestBatch,
  clientMethods,
  decodeGetReply,
  decodePipeReplies,
  encodeKvRequest,
} from "@coterie/protocol";
import { constants } from "node:http2";
import { afterEach, describe, expect, it } from "vitest";
import { MessageFrames, frame } from "../../src/adapters/http2/message-frames.ts";
import { trailersOf } from "../../src/adapters/http2/grpc-status.ts";
import { grpcTimeoutMs } from "../../src/doors/grpc/grpc-timeout.ts";
import { Gate, until } from "./gate.ts";
import { getOf, putOf, valuesOf } from "./grpc-client.ts";
import { OpenedDoors } from "./open-door.ts";
import { RawConnection } from "./raw-call.ts";

const doors = new OpenedDoors();
const raws: RawConnection[] = [];
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.close();
  await doors.close();
});

async function open(changes: Parameters<OpenedDoors["open"]>[0] = {}) {
  const opened = await doors.open(changes);
  const raw = new RawConnection(opened.door.address);
  raws.push(raw);
  return { ...opened, raw };
}

const get = frame(encodeKvRequest(getOf("k")));
const getPath = { ":path": clientMethods.get };
const pipePath = { ":path": clientMethods.pipe };

function bytesOf(buffer: Buffer): readonly Uint8Array[] {
  return [...buffer.keys()].map((at) => buffer.subarray(at, at + 1));
}

function messagesIn(body: Buffer): readonly Uint8Array[] {
  const frames = new MessageFrames(1_000_000);
  frames.add(body);
  const messages: Uint8Array[] = [];
  for (let next = frames.next(); next !== undefined; next = frames.next()) messages.push(next);
  expect(frames.isBetweenMessages).toBe(true);
  return messages;
}

describe("a request over HTTP/2", () => {
  it.each([
    ["no gRPC", { "content-type": "application/json" }, 415],
    ["gRPC for browsers", { "content-type": "application/grpc-web" }, 415],
    ["without a type", { "content-type": "" }, 415],
    ["of another HTTP method", { ":method": "PUT" }, 405],
  ])("that is %s is answered as HTTP answers it", async (_, changes, status) => {
    const { raw } = await open();
    const answer = await raw.call({ ...getPath, ...changes }, [get]);
    expect(answer.headers[":status"]).toBe(status);
    expect(answer.headers["grpc-status"]).toBe(undefined);
  });

  it.each(["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"])(
    "is a call with the type %s",
    async (type) => {
      const { raw, client } = await open();
      await client.put(putOf("k", "v"));
      const answer = await raw.call({ ...getPath, "content-type": type }, [get]);
      expect(answer.headers).toMatchObject({
        ":status": 200,
        "content-type": "application/grpc+proto",
      });
      expect(answer.trailers).toMatchObject({ "grpc-status": "0" });
      expect(valuesOf(decodeGetReply(messagesIn(answer.body)[0] ?? new Uint8Array()))).toEqual([
        "v",
      ]);
    },
  );

  it("may come byte by byte", async () => {
    const { raw } = await open();
    const answer = await raw.call(getPath, bytesOf(get));
    expect(answer.trailers["grpc-status"]).toBe("0");
  });

  it("is refused as overloaded while too much of others is on its way", async () => {
    const { raw, client, door } = await open({ options: { begunBytesMax: 2000 } });
    const put = frame(encodeKvRequest(putOf("k", "v".repeat(1500))));
    const putPath = { ":path": clientMethods.put };
    const begun = raw.session.request({
      ":method": "POST",
      "content-type": "application/grpc",
      te: "trailers",
      ...putPath,
    });
    begun.on("error", () => undefined);
    begun.write(put.subarray(0, 1400));
    await until(() => door.statistics.bytesBegun > 1000);
    const refused = await raw.call(putPath, [put.subarray(0, 700), put.subarray(700)]);
    expect(refused.headers["grpc-status"]).toBe("8");
    expect(refused.headers["grpc-message"]).toContain("overloaded: too many bytes of messages");
    // What comes at once takes no memory that waits.
    expect(await client.get(getOf("k"))).toMatchObject({ ok: true });
    begun.close(constants.NGHTTP2_CANCEL);
    await until(() => door.statistics.bytesBegun === 0);
    const done = await raw.call(putPath, [put.subarray(0, 700), put.subarray(700)]);
    expect(done.trailers["grpc-status"]).toBe("0");
    expect(door.statistics.bytesBegun).toBe(0);
  });

  it("with more headers than a call needs is refused, and others go on", async () => {
    const { raw, client } = await open();
    // The limit holds once the client has acknowledged it.
    await raw.call(getPath, [get]);
    const large = { ...getPath, "x-large": "x".repeat(20_000) };
    const answer = await raw.call(large, [get]);
    expect(answer.headers[":status"]).not.toBe(200);
    expect(await client.get(getOf("k"))).toMatchObject({ ok: true });
  });
});

describe("a call that is none ends with a status, and nothing else", () => {
  const compressed = Buffer.from(get);
  compressed[0] = 1;
  it.each<[string, Record<string, string>, readonly Uint8Array[], string]>([
    ["no such method", { ":path": "/coterie.v1.Kv/Nothing" }, [get], "12"],
    ["no such service", { ":path": "/x.Y/Z" }, [get], "12"],
    ["a compressed message", { ...getPath, "grpc-encoding": "gzip" }, [compressed], "12"],
    ["no message", getPath, [], "12"],
    ["two messages", getPath, [get, get], "12"],
    ["half a message", getPath, [get.subarray(0, 7)], "13"],
    ["half a length", getPath, [get.subarray(0, 3)], "13"],
    ["a timeout that is none", { ...getPath, "grpc-timeout": "1 hour" }, [get], "13"],
    ["a message of 4 GB announced", getPath, [Buffer.of(0, 255, 255, 255, 255, 1)], "8"],
  ])("%s", async (_, headers, pieces, status) => {
    const { raw, client } = await open();
    const answer = await raw.call(headers, pieces);
    expect(answer.headers).toMatchObject({ ":status": 200, "grpc-status": status });
    // What a client may send instead of what it sent.
    expect(answer.headers["grpc-accept-encoding"]).toBe("identity");
    expect(answer.body).toHaveLength(0);
    expect(await client.get(getOf("k"))).toMatchObject({ ok: true });
  });

  it("and a client that goes on writing is told that nobody reads it", async () => {
    const { raw } = await open();
    const answer = await raw.call({ ":path": "/x.Y/Z" }, [get], true);
    expect(answer.headers["grpc-status"]).toBe("12");
    expect(answer.resetCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it("has what failed in its trailers, for any tool and for ours", async () => {
    const { raw } = await open();
    const bad = frame(encodeKvRequest(getOf("k", { bucket: "Größe %" })));
    const { headers } = await raw.call(getPath, [bad]);
    expect(headers["coterie-code"]).toBe("bad-request");
    const message = String(headers["grpc-message"]);
    expect(message).toMatch(/^[ -~]*$/u);
    expect(decodeURIComponent(message)).toContain("bad-request: ");
    const details = Buffer.from(String(headers["grpc-status-details-bin"]), "base64");
    const failure = Buffer.from(String(headers["coterie-failure-bin"]), "base64");
    // Status.details[0].value is the last field of both messages.
    expect(details.subarray(-failure.length)).toEqual(failure);
    expect(details.toString("latin1")).toContain("type.googleapis.com/coterie.v1.Failure");
  });
});

describe("the words of a status", () => {
  it.each([
    ["plain words", "plain words"],
    ["50 %", "50 %25"],
    ["größe", "gr%C3%B6%C3%9Fe"],
    ["two\r\nlines", "two%0D%0Alines"],
    ["\ud800", "%EF%BF%BD"],
  ])("%j travel as %j", (details, encoded) => {
    expect(trailersOf({ status: "INTERNAL", details })).toEqual({
      "grpc-status": "13",
      "grpc-message": encoded,
    });
  });
});

describe("a timeout", () => {
  it.each([
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3000],
    ["45m", 45],
    ["500u", 0.5],
    ["99999999n", 99.999999],
  ])("%s is %d ms", (text, ms) => {
    expect(grpcTimeoutMs(text)).toBeCloseTo(ms, 6);
  });

  it.each(["", "5", "m", "-1S", "1.5S", "123456789S", "1s", "1S ", "0x1S"])(
    "%j is none",
    (text) => {
      expect(grpcTimeoutMs(text)).toBe(undefined);
    },
  );

  it("ends a call that the node has not answered", async () => {
    const gate = new Gate();
    const { raw } = await open({ wrap: (node) => gate.before(node) });
    const answer = await raw.call({ ...getPath, "grpc-timeout": "50m" }, [get]);
    expect(answer.headers).toMatchObject({ ":status": 200, "grpc-status": "4" });
    gate.open();
  });
});

describe("many messages at once", () => {
  it("are worked off in many turns, in their order", async () => {
    const { raw, door } = await open();
    const count = 20_000;
    const greetings = Buffer.concat(Array.from({ length: count }, () => frame(new Uint8Array())));
    const batch = new PipeRequestBatch();
    batch.add(1, getOf("k"));
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    turn();
    const answer = await raw.call(pipePath, [greetings, frame(batch.take())]);
    isOver = true;
    const decoded = messagesIn(answer.body).map((bytes) => decodePipeReplies(bytes));
    const replies = decoded.flatMap((each) => (each.ok ? each.replies : []));
    expect(replies).toMatchObject([{ id: 1, reply: { kind: "get" } }]);
    expect(answer.trailers["grpc-status"]).toBe("0");
    expect(door.statistics.messages).toBe(count + 1);
    // At most 256 empty messages in one.
    expect(turns).toBeGreaterThan(count / 256);
  });
});

describe("a client that leaves", () => {
  it("by resetting its call is waited for no more", async () => {
    const gate = new Gate();
    const { raw, door } = await open({ wrap: (node) => gate.before(node) });
    const batch = new PipeRequestBatch();
    batch.add(1, getOf("k"));
    const stream = raw.session.request({
      ":method": "POST",
      ...pipePath,
      "content-type": "application/grpc",
    });
    stream.on("error", () => undefined);
    stream.write(frame(batch.take()));
    await until(() => gate.waiting === 1);
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => door.statistics.pipes === 0);
    gate.open();
    expect(door.statistics.replies).toBe(0);
  });
});

describe("a door that closes", () => {
  it("says so to every connection, and ends those without calls", async () => {
    const { raw, door } = await open();
    await raw.call(getPath, [get]);
    let goaway: number | undefined;
    raw.session.on("goaway", (code) => {
      goaway = code;
    });
    const closed = new Promise<void>((resolve) => {
      raw.session.on("close", () => resolve());
    });
    await door.close(5000);
    await closed;
    expect(goaway).toBe(constants.NGHTTP2_NO_ERROR);
    expect(door.connections).toBe(0);
  });
});
