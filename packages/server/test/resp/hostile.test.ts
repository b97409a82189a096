import { afterEach, describe, expect, it } from "vitest";
import { OpenedDoors } from "./open-door.ts";
import type { NodeApi } from "@coterie/cluster";
import type { RawRedis } from "./raw-redis.ts";

const doors = new OpenedDoors();

afterEach(() => doors.close());

const open = doors.open.bind(doors);

/** Waits until something holds; a test that waits in vain is stopped by its own time limit. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}

async function isAlive(client: RawRedis): Promise<boolean> {
  return (await client.ask("PING")) === "+PONG";
}

describe("what is no RESP", () => {
  it.each<[string, string | Uint8Array, RegExp]>([
    [
      "a length below zero",
      "*2\r\n$3\r\nGET\r\n$-5\r\n",
      /^-ERR Protocol error: invalid bulk length/u,
    ],
    [
      "a huge length",
      "*2\r\n$3\r\nGET\r\n$536870913\r\n",
      /^-ERR Protocol error: invalid bulk length/u,
    ],
    ["a huge list", "*2147483647\r\n", /^-ERR Protocol error: invalid multibulk length/u],
    [
      "a list in a list",
      "*1\r\n*1\r\n$4\r\nPING\r\n",
      /^-ERR Protocol error: expected '\$', got '\*'/u,
    ],
    ["a line without end", "x".repeat(70_000), /^-ERR Protocol error: too big inline request/u],
    ["quotes without end", 'SET a "b\r\n', /^-ERR Protocol error: unbalanced quotes/u],
    ["HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", /^-ERR .*not HTTP/u],
    ["a browser's lines", "POST / x\r\nHost: a\r\nSET a b\r\n", /^-ERR .*not HTTP/u],
    ["a header", "Host: a\r\n", /^-ERR .*not HTTP/u],
    ["TLS", Uint8Array.of(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3), /^-ERR .*not TLS/u],
  ])("%s is answered with an error, and ends the connection", async (_, sent, expected) => {
    const { client, events, connect, door } = await open();
    client.send(sent);
    expect(await client.reply()).toMatch(expected);
    expect(await client.reply()).toBe("(closed)");
    expect(events.length).toBe(1);
    expect(door.statistics.protocolErrors).toBe(1);
    expect(await isAlive(connect())).toBe(true);
    expect(await connect().ask("GET", "a")).toBeNull();
  });

  it("is cut where more and more comes after the end", async () => {
    const { client } = await open();
    let isCut = false;
    client.socket.once("close", () => (isCut = true));
    client.send("*x\r\n");
    expect(await client.reply()).toMatch(/^-ERR Protocol error/u);
    await until(() => {
      if (!isCut && client.socket.writableLength === 0) client.send("payload".repeat(1000));
      return isCut;
    });
  });

  it("comes after commands that are answered", async () => {
    const { client } = await open();
    client.send("SET a 1\r\nGET a\r\n*x\r\nSET a 2\r\n");
    const replies = await client.replies(4);
    const problem = "-ERR Protocol error: invalid multibulk length";
    expect(replies).toEqual(["+OK", "1", problem, "(closed)"]);
  });
});

describe("what is too much", () => {
  it("a value over the limit is read past, and the connection goes on", async () => {
    const { client } = await open();
    expect(await client.ask("SET", "a", new Uint8Array(100_000))).toMatch(/^-ERR too-large/u);
    expect(await client.ask("GET", "a")).toBeNull();
  });

  it("half a gigabyte that is announced and not sent takes no memory", async () => {
    const { connect, door } = await open({
      options: { valueBytesMax: 2 ** 29, tuning: { commandBytesMax: 2 ** 30 } },
    });
    const before = process.memoryUsage();
    const clients = Array.from({ length: 50 }, connect);
    for (const client of clients) client.send("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$536870912\r\nx");
    await until(() => door.statistics.bytesReceived >= 50 * 33);
    const after = process.memoryUsage();
    expect(after.rss + after.external - before.rss - before.external).toBeLessThan(200 * 2 ** 20);
    expect(door.connections).toBeGreaterThanOrEqual(50);
  });

  it("commands that never come whole are cut when they hold too much together", async () => {
    const options = { valueBytesMax: 1_000_000, heldBytesMax: 1_500_000 };
    const { connect, door, events } = await open({ options });
    const clients = Array.from({ length: 4 }, connect);
    for (const client of clients) {
      client.send("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000000\r\n");
      client.send(new Uint8Array(900_000));
    }
    await until(() => door.statistics.cut > 0);
    expect(events[0]).toMatchObject({ kind: "client-cut" });
    expect(await isAlive(connect())).toBe(true);
  });

  it("a command that begins and does not go on is cut after a while", async () => {
    const { client, connect } = await open({
      options: { tuning: { silenceMs: 60, checkMs: 10 } },
    });
    const patient = connect();
    expect(await isAlive(patient)).toBe(true);
    client.send("*2\r\n$3\r\nGE");
    await client.closed();
    expect(await isAlive(patient)).toBe(true);
  });

  it("a client that reads nothing is not read either, and is cut after a while", async () => {
    const { client, connect, door } = await open({
      options: { tuning: { silenceMs: 100, checkMs: 10, pauseBytes: 100_000 } },
    });
    expect(await client.ask("SET", "large", new Uint8Array(4000))).toBe("+OK");
    const lazy = connect();
    lazy.socket.pause();
    // Replies of 80 MB: far more than the sockets of both ends take.
    for (let at = 0; at < 20; at += 1) lazy.send("GET large\r\n".repeat(1000));
    await until(() => door.statistics.cut > 0);
    expect(door.statistics.bytesSent).toBeLessThan(40_000_000);
    await until(() => door.statistics.bytesUnread === 0);
    expect(await isAlive(client)).toBe(true);
  });

  it("connections over the limit are refused with Redis' words", async () => {
    const { client, connect, door } = await open({ options: { connectionsMax: 2 } });
    expect(await isAlive(client)).toBe(true);
    expect(await isAlive(connect())).toBe(true);
    const third = connect();
    expect(await third.reply()).toBe("-ERR max number of clients reached");
    await third.closed();
    expect(door.statistics.connectionsRefused).toBe(1);
  });

  it("ten thousand commands sent ahead are answered, every one in its place", async () => {
    const { client } = await open();
    const lines = Array.from({ length: 10_000 }, (_, at) => `ECHO ${at}\r\n`);
    client.send(lines.join(""));
    const replies = await client.replies(10_000);
    expect(replies.every((reply, at) => reply === String(at))).toBe(true);
  });

  it("a command byte by byte is a command", async () => {
    const { client } = await open();
    for (const byte of Buffer.from("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n\r\n\r\n")) {
      client.send(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    expect(await client.reply()).toBe("+OK");
    expect(await client.ask("GET", "a")).toBe("\r\n");
  });

  it("a transaction that holds too much is refused", async () => {
    const { client } = await open({ options: { tuning: { commandBytesMax: 5000 } } });
    client.send(`MULTI\r\n${`SET a ${"x".repeat(1500)}\r\n`.repeat(4)}EXEC\r\n`);
    const replies = await client.replies(6);
    expect([replies[2], replies[3], replies[5]].map(String)).toEqual([
      "+QUEUED",
      expect.stringMatching(/^-ERR too-large/u),
      expect.stringMatching(/^-EXECABORT/u),
    ]);
  });
});

describe("a node in trouble", () => {
  const failing: NodeApi["beginGet"] = (_key, _options, ending) =>
    ending.fail(new Error("a defect"));

  it("a defect is answered, and the connection goes on", async () => {
    const { client, defects } = await open({
      wrap: (node) =>
        new Proxy(node, {
          get: (target, name) => {
            if (name === "get") return () => Promise.reject(new Error("a defect"));
            if (name === "beginGet") return failing;
            const value = Reflect.get(target, name) as unknown;
            return typeof value === "function" ? (value.bind(target) as unknown) : value;
          },
        }),
    });
    expect(await client.ask("GET", "a")).toMatch(/^-ERR internal/u);
    expect(await client.ask("INCR", "a")).toMatch(/^-ERR internal/u);
    expect(await client.ask("SET", "a", "1")).toBe("+OK");
    expect(defects.length).toBe(2);
  });

  it("failures have the prefix of their code, and say what became of a write", async () => {
    const failed = {
      ok: false,
      code: "quorum-not-met",
      message: "too few",
      outcome: "unknown",
      acks: { primaries: 0, fallbacks: 0, required: 2 },
    } as const;
    const { client, observed } = await open({
      wrap: (node) =>
        new Proxy(node, {
          get: (target, name) => {
            if (name === "put") return () => Promise.resolve(failed);
            const value = Reflect.get(target, name) as unknown;
            return typeof value === "function" ? (value.bind(target) as unknown) : value;
          },
        }),
    });
    const expected = "-NOREPLICAS quorum-not-met: too few; the write may have happened";
    expect(await client.ask("SET", "a", "1")).toBe(expected);
    expect(await client.ask("INCR", "a")).toBe(expected);
    expect(await client.ask("MSET", "a", "1", "b", "2")).toBe(expected);
    expect(observed[0]).toMatchObject({ operation: "set", code: "NOREPLICAS" });
  });

  it("a node that closes answers what is in flight, and ends its connections", async () => {
    const { client, door, connect } = await open();
    expect(await client.ask("SET", "a", "1")).toBe("+OK");
    const idle = connect();
    expect(await isAlive(idle)).toBe(true);
    client.send("SET a 2\r\nGET a\r\n");
    await until(() => door.statistics.bytesReceived > 50);
    await door.close(5000);
    expect(await client.reply()).toBe("+OK");
    await idle.closed();
    expect(door.connections).toBe(0);
  });
});
