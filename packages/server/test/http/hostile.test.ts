import type { CoterieNode } from "@coterie/cluster";
import {
  type ActorId,
  type ClusterDocument,
  DeadWrites,
  VersionVector,
  ContextSeal,
  contextKeyOf,
  encodeContext,
} from "@coterie/core";
import { beforeAll, describe, expect, it } from "vitest";
import type { HttpDoor } from "../../src/doors/http/listen.ts";
import { valueBytesMax } from "./one-node.ts";
import { openDoor } from "./open-door.ts";
import { RawClient, statusOf } from "./raw-client.ts";

let door: HttpDoor;
let node: CoterieNode;

beforeAll(async () => {
  ({ door, node } = await openDoor());
  return () => door.close(0);
});

const place = "/v1/buckets/default/keys/k";
const host = "Host: localhost\r\n";
const put = `PUT ${place} HTTP/1.1\r\n${host}`;
const close = "Connection: close\r\n";

async function exchange(text: string): Promise<string> {
  const client = new RawClient(door.address);
  client.send(text);
  return client.untilClosed();
}

describe("input from nowhere is refused with a typed error, and the connection closed", () => {
  const chunked = `${put}Transfer-Encoding: chunked\r\n\r\n`;
  it.each([
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00", 400],
    ["a whole TLS hello", `\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03${"\x42".repeat(161)}`, 400],
    ["a hundred thousand bytes of garbage", "\xde\xad\xbe\xef".repeat(25_000), 400],
    ["a method that is none", `BREW ${place} HTTP/1.1\r\n${host}\r\n`, 400],
    ["a version that is none", `GET ${place} HTTP/9.9\r\n${host}\r\n`, 400],
    ["a tunnel", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", 405],
    ["a length beyond all numbers", `${put}Content-Length: ${"9".repeat(40)}\r\n\r\n`, 400],
    ["a length in hex", `${put}Content-Length: 0x10\r\n\r\n`, 400],
    ["a length with a sign", `${put}Content-Length: +4\r\n\r\nblue`, 400],
    ["the largest length", `${put}Content-Length: 9007199254740991\r\n\r\n`, 413],
    ["chunks twice", `${put}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`, 400],
    ["chunks by another name", `${put}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ["chunks after a tab", `${put}Transfer-Encoding:\tchunked, identity\r\n\r\n0\r\n\r\n`, 400],
    [
      "chunks before a length",
      `${put}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["a chunk's negative length", `${chunked}-1\r\nx\r\n`, 400],
    ["a chunk's length beyond all numbers", `${chunked}${"f".repeat(17)}\r\nx\r\n`, 400],
    ["a huge chunk that never comes", `${chunked}ffffffff\r\n${"x".repeat(5000)}`, 413],
    ["chunk extensions without end", `${chunked}1;${"x".repeat(20_000)}`, 413],
    ["chunks of one byte", `${chunked}${"1\r\nx\r\n".repeat(valueBytesMax + 1)}`, 413],
    ["a line feed in a path", `GET /v1/\nbuckets HTTP/1.1\r\n${host}\r\n`, 400],
    ["a NUL in a path", `GET ${place}\x00 HTTP/1.1\r\n${host}\r\n`, 400],
    ["bytes beyond ASCII in a path", `GET ${place}\xff\xfe HTTP/1.1\r\n${host}\r\n`, 400],
    ["a carriage return in a header", `${put}Coterie-Context: a\rb\r\n\r\n`, 400],
    ["a header without a name", `${put}: x\r\n\r\n`, 400],
    ["a path of 40 000 bytes", `GET /${"a".repeat(40_000)} HTTP/1.1\r\n${host}\r\n`, 431],
    ["a thousand cookies", `${put}${"Cookie: a=b; c=d; e=f; g=h; i=j\r\n".repeat(1200)}\r\n`, 431],
  ])("%s", async (_, text, status) => {
    const received = await exchange(text);
    expect(statusOf(received)).toBe(status);
    expect(received).toMatch(/"code":"(bad-request|too-large)"/u);
    expect(received).toMatch(/^Connection: close\r$/imu);
  });

  it("a request smuggled behind another one is not answered", async () => {
    const smuggled = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const received = await exchange(
      `${put}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    );
    expect(received.match(/^HTTP\/1\.1 /gmu)).toHaveLength(1);
  });
});

describe("a request that is HTTP and nothing else", () => {
  const names = ["__proto__", "constructor", "prototype", "hasOwnProperty", "toString"];
  const key = "/v1/buckets/default/keys";
  it.each<readonly [what: string, line: string, headers: string, status: number]>([
    ...names.map((name) => ["path", `GET /${name} HTTP/1.1`, "", 404] as const),
    ...names.map((name) => ["version", `GET /v1/${name} HTTP/1.1`, "", 404] as const),
    ["a bucket", "GET /v1/buckets/__proto__/keys/k HTTP/1.1", "", 404],
    ["a bucket", "GET /v1/buckets/constructor HTTP/1.1", "", 404],
    ["a bucket", "GET /v1/buckets/hasOwnProperty/keys HTTP/1.1", "", 400],
    ...names.map((name) => ["key", `GET ${key}/${name} HTTP/1.1`, "", 404] as const),
    ...names.map((name) => ["query", `GET ${key}/k?${name}=1 HTTP/1.1`, "", 400] as const),
    ...names.map((name) => ["scan", `GET ${key}?${name}=1 HTTP/1.1`, "", 400] as const),
    ...names.map((name) => ["header", `GET ${key}/k HTTP/1.1`, `${name}: x\r\n`, 404] as const),
    ["r = -1", `GET ${place}?r=-1 HTTP/1.1`, "", 400],
    ["w = 999999", `PUT ${place}?w=999999 HTTP/1.1`, "Content-Length: 0\r\n", 400],
    ["n = NaN", `GET ${place}?n=NaN HTTP/1.1`, "", 400],
    ["r = NaN", `GET ${place}?r=NaN HTTP/1.1`, "", 400],
    ["r = 1e3", `GET ${place}?r=1e3 HTTP/1.1`, "", 400],
    ["r = 2^53", `GET ${place}?r=9007199254740992 HTTP/1.1`, "", 400],
    ["r twice", `GET ${place}?r=1&r=1 HTTP/1.1`, "", 400],
    ["r twice, once in hiding", `GET ${place}?r=1&%72=1 HTTP/1.1`, "", 400],
    ["a thousand options", `GET ${place}?${"r=1&".repeat(1000)} HTTP/1.1`, "", 400],
    ["an escape of nothing", `GET ${key}/%E4%zz HTTP/1.1`, "", 400],
    ["an escape cut off", `GET ${key}/a% HTTP/1.1`, "", 400],
    ["an empty key", `PUT ${key}/ HTTP/1.1`, "Content-Length: 1\r\n", 400],
    ["a key of 2049 bytes", `PUT ${key}/${"k".repeat(2049)} HTTP/1.1`, "", 400],
    ["a key of 2049 escapes", `GET ${key}/${"%00".repeat(2049)} HTTP/1.1`, "", 400],
    ["a gzip bomb", `PUT ${place} HTTP/1.1`, "Content-Encoding: gzip\r\n", 415],
    ["any other coding", `PUT ${place} HTTP/1.1`, "Content-Encoding: br, gzip\r\n", 415],
    ["a batch that is one", "POST /v1/batch HTTP/1.1", "Content-Encoding: gzip\r\n", 415],
    ["another site's form", "POST /v1/batch HTTP/1.1", "Content-Type: text/plain\r\n", 415],
    ["an upgrade", `GET ${place} HTTP/1.1`, "Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n", 404],
    ["an upgrade to HTTP/2", `GET ${place} HTTP/1.1`, "Upgrade: h2c\r\nHTTP2-Settings: x\r\n", 404],
    ["everything", "OPTIONS * HTTP/1.1", "", 400],
    ["a trace", `TRACE ${place} HTTP/1.1`, "", 405],
    ["an absolute target", `GET http://localhost${place} HTTP/1.1`, "", 404],
    ["another scheme", `GET ftp://localhost${place} HTTP/1.1`, "", 400],
    ["a target with a user", `GET http://a:b@localhost${place} HTTP/1.1`, "", 404],
    ["a range that is a promise", `PUT ${place} HTTP/1.1`, "Content-Range: bytes 0-1/2\r\n", 501],
  ])("%s: %s", async (_, line, headers, status) => {
    const received = await exchange(`${line}\r\n${host}${headers}${close}\r\n`);
    expect(statusOf(received)).toBe(status);
    expect(received).toMatch(/"code":"[a-z-]+"/u);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("a forged context", () => {
  const key = { bucket: "default", key: new TextEncoder().encode("k") };
  const own = (): ContextSeal => new ContextSeal(contextKeyOf(node.document() as ClusterDocument));
  const actor = "58b99c8a8284dba6" as ActorId;

  async function putWith(context: string): Promise<string> {
    return exchange(`${put}${close}Coterie-Context: ${context}\r\nContent-Length: 4\r\n\r\nblue`);
  }

  it.each([1, 8, 9, 64, 1024, 3072])("of %i random bytes", async (length) => {
    const bytes = Buffer.alloc(length, 0xa7);
    const received = await putWith(bytes.toString("base64url"));
    expect(statusOf(received)).toBe(400);
    expect(received).toContain('"code":"bad-context"');
  });

  it("of a hundred thousand actors, or of as many as fit into a header", async () => {
    expect(statusOf(await putWith("A".repeat(100_000 * 12)))).toBe(431);
    expect(await putWith("A".repeat(30_000))).toContain('"code":"bad-context"');
  });

  it("made with another cluster's key", async () => {
    const vector = VersionVector.of([{ actor, counter: 1 }]);
    const foreign = encodeContext(
      { vector, writes: DeadWrites.none },
      key,
      new ContextSeal(new Uint8Array(32)),
    );
    expect(await putWith(foreign as string)).toContain('"code":"bad-context"');
  });

  it.each([2 ** 53 - 1, 2 ** 48 + 1])(
    "with a counter of %i, by one who has the key",
    async (counter) => {
      const vector = VersionVector.of([{ actor, counter }]);
      const context = encodeContext({ vector, writes: DeadWrites.none }, key, own());
      expect(await putWith(context as string)).toContain('"code":"bad-context"');
    },
  );
});

it("after all of it nothing is stored, nothing is held, and others are served", async () => {
  for (const bucket of ["default", "redis"]) {
    const answer = await fetch(`http://${door.address}/v1/buckets/${bucket}/keys?limit=all`);
    expect(await answer.text()).toBe('{"cursor":null}\n');
  }
  expect(node.statistics().inFlight).toBe(0);
});

it("a target that is an authority alone is the index", async () => {
  const received = await exchange(`GET http://localhost HTTP/1.1\r\n${host}${close}\r\n`);
  expect(statusOf(received)).toBe(200);
  expect(received).toContain('"openapi":"/openapi.json"');
});
