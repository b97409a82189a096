import { afterAll, beforeAll, expect, it } from "vitest";
import { type OpenedDoor, OpenedDoors } from "./open-door.ts";
import type { Said } from "./raw-redis.ts";

const doors = new OpenedDoors();
let opened: OpenedDoor;

beforeAll(async () => {
  opened = await doors.open();
});

afterAll(() => doors.close());

const notInteger = "-ERR value is not an integer or out of range";

/** Commands, one after the other, and what each is answered. */
it.each<[string, readonly (readonly [string, Said])[]]>([
  [
    "GET and SET",
    [
      ["get a", null],
      ["set a 1", "+OK"],
      ["GeT a", "1"],
      ["SET a", arity("set")],
    ],
  ],
  [
    "SET NX and XX",
    [
      ["set b 1 nx", "+OK"],
      ["set b 2 NX", null],
      ["set b 3 xx", "+OK"],
    ],
  ],
  [
    "SET XX of nothing",
    [
      ["set b2 1 xx", null],
      ["get b2", null],
    ],
  ],
  [
    "SET GET",
    [
      ["set c 1 get", null],
      ["set c 2 get", "1"],
      ["set c 3 nx get", "2"],
      ["get c", "2"],
    ],
  ],
  [
    "SET with options that clash",
    [
      ["set d 1 nx xx", "-ERR syntax error"],
      ["get d", null],
    ],
  ],
  [
    "SETNX",
    [
      ["setnx e 1", 1],
      ["setnx e 2", 0],
      ["get e", "1"],
    ],
  ],
  [
    "GETSET",
    [
      ["getset f 1", null],
      ["getset f 2", "1"],
      ["get f", "2"],
    ],
  ],
  [
    "GETDEL",
    [
      ["set g 1", "+OK"],
      ["getdel g", "1"],
      ["getdel g", null],
      ["exists g", 0],
    ],
  ],
  [
    "MSET and MGET",
    [
      ["mset h 1 i 2 h 3", "+OK"],
      ["mget h i j", ["3", "2", null]],
    ],
  ],
  [
    "MSET without a value",
    [
      ["mset h", arity("mset")],
      ["mset h 1 i", arity("mset")],
    ],
  ],
  [
    "APPEND and STRLEN",
    [
      ["append k ab", 2],
      ["append k cde", 5],
      ["strlen k", 5],
      ["strlen l", 0],
    ],
  ],
  [
    "GETRANGE",
    [
      ["set m Hello", "+OK"],
      ["getrange m 0 1", "He"],
      ["getrange m -3 -1", "llo"],
      ["getrange m 3 100", "lo"],
      ["getrange m 4 2", ""],
      ["getrange m 10 20", ""],
      ["getrange m -100 0", "H"],
      ["getrange m -5 -7", ""],
      ["getrange m 0 x", notInteger],
      ["substr m 1 1", "e"],
      ["getrange none 0 -1", ""],
    ],
  ],
  [
    "SETRANGE",
    [
      ["setrange n 2 xy", 4],
      ["get n", "\0\0xy"],
      ["setrange n 0 a", 4],
      ["get n", "a\0xy"],
      ["setrange n -1 a", "-ERR offset is out of range"],
      ["setrange n 4096 a", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"],
      ['setrange none 0 ""', 0],
      ["exists none", 0],
    ],
  ],
  [
    "INCR and its kin",
    [
      ["incr o", 1],
      ["incrby o 41", 42],
      ["decr o", 41],
      ["decrby o 40", 1],
      ["get o", "1"],
      ["incrby o x", notInteger],
      ["set o 9223372036854775807", "+OK"],
      ["incr o", "-ERR increment or decrement would overflow"],
      ["decrby o -9223372036854775808", "-ERR decrement would overflow"],
      ["set o 12x", "+OK"],
      ["incr o", notInteger],
    ],
  ],
  [
    "INCRBYFLOAT",
    [
      ["incrbyfloat p 10.5", "10.5"],
      ["incrbyfloat p 0.1", "10.6"],
      ["incrbyfloat p -10.6", "0"],
      ["incrbyfloat p 5.0e3", "5000"],
      ["incrbyfloat p x", "-ERR value is not a valid float"],
      ["incrbyfloat p +inf", "-ERR increment would produce NaN or Infinity"],
      ["set q 0.1", "+OK"],
      ["incrbyfloat q 0.2", "0.3"],
      ["incrbyfloat q -1.3", "-1"],
      ["incrbyfloat half 0.024390243902439025", "0.02439024390243902"],
      ["incrbyfloat half -0.024390243902439025", "0"],
      ["incrbyfloat odd -0.000000000000000015", "-0.00000000000000002"],
      ["incrbyfloat odd -0.000000000000000006", "-0.00000000000000003"],
    ],
  ],
  [
    "DEL, UNLINK, EXISTS, TOUCH and TYPE",
    [
      ["mset r 1 s 2", "+OK"],
      ["exists r r s t", 3],
      ["touch r t", 1],
      ["type r", "+string"],
      ["del r r t", 1],
      ["unlink s", 1],
      ["type r", "+none"],
      ["exists r s", 0],
    ],
  ],
  [
    "a key that is too long",
    [
      [`get ${"x".repeat(2049)}`, badKey(2049)],
      ['set "" x', badKey(0)],
    ],
  ],
])("%s", async (_, exchange) => {
  for (const [sent, expected] of exchange) {
    opened.client.send(`${sent}\r\n`);
    expect([sent, await opened.client.reply()]).toEqual([sent, expected]);
  }
  expect(opened.defects).toEqual([]);
});

function arity(name: string): string {
  return `-ERR wrong number of arguments for '${name}' command`;
}

function badKey(bytes: number): string {
  return `-ERR bad-request: a key has 1 to 2048 bytes, not ${bytes}`;
}

it("takes any bytes as keys and values", async () => {
  const every = Uint8Array.from({ length: 256 }, (_, at) => at);
  expect(await opened.client.ask("SET", every, every)).toBe("+OK");
  expect(await opened.client.ask("GET", every)).toBe(Buffer.from(every).toString("latin1"));
  for (const name of ["__proto__", "constructor", "toString"]) {
    expect(await opened.client.ask("GET", name)).toBeNull();
    expect(await opened.client.ask(name, "x")).toMatch(/^-ERR unknown command/u);
    expect(await opened.client.ask("CLIENT", name)).toMatch(/^-ERR unknown subcommand/u);
  }
});

it("adds up what clients of one node do at once", async () => {
  const clients = Array.from({ length: 8 }, () => opened.connect());
  await Promise.all(
    clients.map(async (client) => {
      for (let at = 0; at < 25; at += 1) client.call("INCR", "counter");
      await client.replies(25);
    }),
  );
  expect(await opened.client.ask("GET", "counter")).toBe("200");
});

it("answers in order what is sent ahead, and a read sees the write before it", async () => {
  const { client } = opened;
  const expected: Said[] = [];
  for (let at = 0; at < 500; at += 1) {
    const key = `ahead${at % 7}`;
    client.call("SET", key, at);
    client.call("GET", key);
    client.call("PING");
    expected.push("+OK", String(at), "+PONG");
  }
  expect(await client.replies(expected.length)).toEqual(expected);
});
