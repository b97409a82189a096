import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpDoor, listenHttp } from "../../src/doors/http/listen.ts";
import { oneNode, valueBytesMax } from "./one-node.ts";
import { RawClient, statusOf } from "./raw-client.ts";

let door: HttpDoor;

beforeAll(async () => {
  const { app } = await oneNode();
  const opened = await listenHttp({ address: "127.0.0.1:0", connectionsMax: 100 });
  if (!opened.ok) throw new Error(opened.message);
  door = opened.door;
  door.serve(app);
});

afterAll(() => door.close(0));

const put = "PUT /v1/buckets/default/keys/k HTTP/1.1\r\nHost: localhost\r\n";

/** Sends `text` on a connection of its own and returns all that came back until it was closed. */
async function closedAfter(text: string): Promise<string> {
  const client = new RawClient(door.address);
  client.send(text);
  return client.untilClosed();
}

/** Sends a request that asks for the connection's end. */
function ask(head: string): Promise<string> {
  return closedAfter(`${head}\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
}

async function isServing(): Promise<boolean> {
  return statusOf(await ask("GET /livez HTTP/1.1")) === 200;
}

describe("what is no HTTP request is answered, the connection closed, nothing stored", () => {
  it.each([
    ["garbage", "\x00\x01\x02 garbage \xff\r\n\r\n", 400],
    ["a request of a Redis client", "*1\r\n$4\r\nPING\r\n", 400],
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["headers over 32 KiB", `${put}X: ${"x".repeat(40_000)}\r\n\r\n`, 431],
    ["a byte that is not percent-encoded", "GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a NUL in a header", `${put}Coterie-Context: a\x00b\r\n\r\n`, 400],
    ["a negative length", `${put}Content-Length: -1\r\n\r\n`, 400],
    ["a length that is no number", `${put}Content-Length: 1e3\r\n\r\n`, 400],
    ["two lengths", `${put}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`, 400],
    [
      "a length beside chunks",
      `${put}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
    ],
    ["chunked, but not last", `${put}Transfer-Encoding: chunked, gzip\r\n\r\n`, 400],
    ["a chunk of no length", `${put}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 400],
    ["a header split in lines", `${put}A: b\r\n c: d\r\nB : c\r\n\r\n`, 400],
  ])("%s", async (_, text, status) => {
    const received = await closedAfter(text);
    expect(statusOf(received)).toBe(status);
    expect(received).toContain('"code":"bad-request"');
    expect(await isServing()).toBe(true);
    expect(statusOf(await ask("GET /v1/buckets/default/keys/k HTTP/1.1"))).toBe(404);
  });

  it("the last of many headers counts", async () => {
    const many = "A: b\r\n".repeat(3000);
    const received = await closedAfter(
      `${put}${many}Coterie-Context: forged\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(received).toContain('"code":"bad-context"');
  });

  it("a space in a path is no part of it", async () => {
    expect(statusOf(await ask("GET /v1/buckets/default/keys/a b HTTP/1.1"))).toBe(400);
  });
});

describe("bodies", () => {
  it("an announced length over the limit is refused before it is sent", async () => {
    const client = new RawClient(door.address);
    client.send(`${put}Content-Length: ${valueBytesMax + 1}\r\n\r\n`);
    const received = await client.until((text) => text.includes('"code":"too-large"'));
    expect(statusOf(received)).toBe(413);
    expect(received).toMatch(/^Connection: close\r$/mu);
    client.close();
  });

  it("chunks over the limit are refused before they end", async () => {
    const client = new RawClient(door.address);
    const chunk = `${(1000).toString(16)}\r\n${"x".repeat(1000)}\r\n`;
    client.send(`${put}Transfer-Encoding: chunked\r\n\r\n`);
    client.send(chunk.repeat(Math.ceil(valueBytesMax / 1000) + 1));
    expect(statusOf(await client.until((text) => text.includes("too-large")))).toBe(413);
    client.close();
  });

  it("a client that asks first is told to go on, or refused without its body", async () => {
    const asks = new RawClient(door.address);
    asks.send(`${put}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
    await asks.until((text) => text.includes("\r\n\r\n"));
    expect(asks.received).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    asks.send("blue");
    await asks.until((text) => text.includes("204"));
    expect(asks.received).toContain("HTTP/1.1 204");
    asks.close();
    const refused = new RawClient(door.address);
    refused.send(`${put}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n`);
    expect(statusOf(await refused.until((text) => text.includes("too-large")))).toBe(413);
    refused.close();
  });

  it("bodies beyond the budget of all together are refused until others ended", async () => {
    const { app } = await oneNode({ bodyBytesMax: 100 });
    const opened = await listenHttp({ address: "127.0.0.1:0", connectionsMax: 10 });
    if (!opened.ok) throw new Error(opened.message);
    opened.door.serve(app);
    const first = new RawClient(opened.door.address);
    const ask100 = `${put}Expect: 100-continue\r\nContent-Length: 80\r\n\r\n`;
    first.send(ask100);
    await first.until((text) => text.includes("100 Continue"));
    const second = new RawClient(opened.door.address);
    second.send(ask100);
    expect(statusOf(await second.untilClosed())).toBe(429);
    const chunked = new RawClient(opened.door.address);
    chunked.send(`${put}Transfer-Encoding: chunked\r\n\r\n1e\r\n${"x".repeat(30)}\r\n0\r\n\r\n`);
    expect(statusOf(await chunked.untilClosed())).toBe(429);
    first.send("x".repeat(80));
    await first.until((text) => text.includes("204"));
    const third = new RawClient(opened.door.address);
    third.send(ask100);
    await third.until((text) => text.includes("\r\n\r\n"));
    expect(third.received).toContain("100 Continue");
    for (const client of [first, third]) client.close();
    await opened.door.close(0);
  });

  it("a body cut off stores nothing", async () => {
    const key = "/v1/buckets/default/keys/cut";
    const client = new RawClient(door.address);
    client.send(`PUT ${key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc`);
    // The next request's answer shows that what was sent before has been read.
    expect(await isServing()).toBe(true);
    client.close();
    expect(await isServing()).toBe(true);
    expect(statusOf(await ask(`GET ${key} HTTP/1.1`))).toBe(404);
  });
});

describe("slow clients", () => {
  const patience = {
    headersMs: 200,
    requestMs: 300,
    idleMs: 100,
    silenceMs: 60_000,
    takeMs: 60_000,
    checkMs: 50,
  };
  let impatient: HttpDoor;

  beforeAll(async () => {
    const { app } = await oneNode();
    const opened = await listenHttp({ address: "127.0.0.1:0", connectionsMax: 100, patience });
    if (!opened.ok) throw new Error(opened.message);
    impatient = opened.door;
    impatient.serve(app);
  });

  afterAll(() => impatient.close(0));

  it.each([
    ["headers that do not end", "PUT /v1/buckets/default/keys/slow HTTP/1.1\r\nHost:"],
    ["a body that does not come", `${put}Content-Length: 10\r\n\r\nabc`],
    ["chunks that do not end", `${put}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`],
  ])("%s are answered with 408", async (_, text) => {
    const client = new RawClient(impatient.address);
    client.send(text);
    const received = await client.untilClosed();
    expect(statusOf(received)).toBe(408);
    expect(received).toContain("Coterie-Outcome: refused");
  });

  it("an idle connection is closed", async () => {
    const client = new RawClient(impatient.address);
    client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await client.untilClosed()).toMatch(/ok\n$/u);
  });
});

describe("paths and hosts", () => {
  it.each([
    ["..", "%2E%2E"],
    ["a%2F..%2Fb", "a%2f..%2fb"],
    ["%ff%fe", "%FF%FE"],
    ["%00%0d%0a", "%00%0D%0A"],
  ])("key %j is the same as %j, as it came", async (written, read) => {
    const body = `value of ${read}`;
    const sent = await closedAfter(
      `PUT /v1/buckets/default/keys/${written} HTTP/1.1\r\nHost: localhost\r\n` +
        `Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(statusOf(sent)).toBe(204);
    expect(await ask(`GET /v1/buckets/default/keys/${read} HTTP/1.1`)).toContain(body);
  });

  it("dots do not lead out of a bucket", async () => {
    const received = await ask("GET /v1/buckets/default/keys/../../../../livez HTTP/1.1");
    expect(statusOf(received)).toBe(400);
  });

  it.each([
    ["localhost:1", 200],
    ["127.0.0.1:1", 200],
    ["[::1]:1", 200],
    ["app.localhost", 200],
    ["evil.example", 400],
    ["127.0.0.1.evil.example", 400],
    ["localhost.evil.example", 400],
    ["", 400],
    ["a b", 400],
    ["__proto__", 400],
  ])("Host %j: %i", async (host, status) => {
    const received = await closedAfter(
      `GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(received)).toBe(status);
  });

  it("a request without Host is refused", async () => {
    expect(statusOf(await closedAfter("GET /livez HTTP/1.1\r\n\r\n"))).toBe(400);
  });
});

describe("connections", () => {
  it("answers pipelined requests in their order", async () => {
    const client = new RawClient(door.address);
    const get = "GET /v1/buckets/default/keys/none HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(get + get + "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const received = await client.until((text) => text.endsWith("ok\n"));
    const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+)/gu)].map((match) => match[1]);
    expect(statuses).toEqual(["404", "404", "200"]);
    client.close();
  });

  it("closes those beyond the limit, and serves again when others have left", async () => {
    const { app } = await oneNode();
    const opened = await listenHttp({ address: "127.0.0.1:0", connectionsMax: 2 });
    if (!opened.ok) throw new Error(opened.message);
    opened.door.serve(app);
    const get = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const held = [new RawClient(opened.door.address), new RawClient(opened.door.address)];
    for (const client of held) client.send(get);
    for (const client of held) await client.until((text) => text.endsWith("ok\n"));
    const third = new RawClient(opened.door.address);
    expect(await third.untilClosed()).toBe("");
    for (const client of held) client.socket.end();
    for (const client of held) await client.untilClosed();
    const fourth = new RawClient(opened.door.address);
    fourth.send(get);
    expect(statusOf(await fourth.until((text) => text.endsWith("ok\n")))).toBe(200);
    fourth.close();
    await opened.door.close(0);
  });

  it("while closing, refuses what is new and ends idle connections", async () => {
    const { app } = await oneNode();
    const opened = await listenHttp({ address: "127.0.0.1:0", connectionsMax: 10 });
    if (!opened.ok) throw new Error(opened.message);
    opened.door.serve(app);
    const idle = new RawClient(opened.door.address);
    idle.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await idle.until((text) => text.endsWith("ok\n"));
    const busy = new RawClient(opened.door.address);
    busy.send(`${put}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
    await busy.until((text) => text.includes("100 Continue"));
    const closed = opened.door.close(60_000);
    await idle.untilClosed();
    busy.send("blue");
    expect(await busy.untilClosed()).toContain("HTTP/1.1 204");
    await closed;
  });
});
