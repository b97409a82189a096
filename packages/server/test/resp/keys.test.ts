import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Expected, mismatches } from "./exchange.ts";
import { type OpenedDoor, OpenedDoors } from "./open-door.ts";

const doors = new OpenedDoors();
let opened: OpenedDoor;

beforeAll(async () => {
  opened = await doors.open({ options: { mayFlush: true } });
});

afterAll(() => doors.close());

const later = Date.now() + 1_000_000_000;
const laterSeconds = Math.floor(later / 1000);

it("INFO says how many keys there are, and how many of them expire", async () => {
  const { client } = await doors.open({ options: { tuning: { keyspacePatienceMs: 60_000 } } });
  for (let at = 0; at < 20; at += 1) await client.ask("SET", `k${at}`, "v");
  for (let at = 0; at < 5; at += 1) await client.ask("EXPIRE", `k${at}`, "100");
  await client.ask("DEL", "k9", "k10");
  const text = await client.ask("INFO");
  expect(text).toMatch(/# Keyspace\r\ndb0:keys=18,expires=5,avg_ttl=0\r\nkeyspace_is_estimate:0/u);
  expect(await client.ask("DBSIZE")).toBe(18);
  const empty = await doors.open({ options: { tuning: { keyspacePatienceMs: 60_000 } } });
  expect(await empty.client.ask("INFO", "keyspace")).toMatch(
    /^# Keyspace\r\nkeyspace_is_estimate:0\r\n/u,
  );
});

it("INFO estimates from a part of the keys where counting them takes too long", async () => {
  const { client } = await doors.open({ options: { tuning: { keyspacePatienceMs: 0 } } });
  for (let at = 0; at < 400; at += 1) await client.ask("SET", `k${at}`, "v", "EX", 1000);
  const text = String(await client.ask("INFO", "keyspace"));
  const [, keys, expires] = /db0:keys=(\d+),expires=(\d+),avg_ttl=0\r\n/u.exec(text) ?? [];
  expect(text).toContain("keyspace_is_estimate:1");
  expect(Number(keys)).toBeGreaterThan(200);
  expect(Number(keys)).toBeLessThan(800);
  expect(expires).toBe(keys);
});

describe("deadlines", () => {
  it.each<[string, readonly Expected[]]>([
    [
      "of SET",
      [
        ["set a 1 ex 100", "+OK"],
        ["ttl a", 100],
        ["pttl a", /^9\d{4}$/u],
        ["get a", "1"],
      ],
    ],
    [
      "of SET PX",
      [
        ["set b 1 px 100000", "+OK"],
        ["ttl b", 100],
        ["set b 2", "+OK"],
        ["ttl b", -1],
      ],
    ],
    [
      "kept by SET",
      [
        ["set c 1 ex 100", "+OK"],
        ["set c 2 keepttl", "+OK"],
        ["ttl c", 100],
      ],
    ],
    [
      "kept by APPEND and INCR",
      [
        ["set d 1 ex 100", "+OK"],
        ["append d 1", 2],
        ["incr d", 12],
        ["ttl d", 100],
      ],
    ],
    [
      "at a time",
      [
        [`set e 1 exat ${laterSeconds}`, "+OK"],
        ["expiretime e", laterSeconds],
        [`set e 1 pxat ${later}`, "+OK"],
        ["pexpiretime e", later],
        ["set e 1 exat 1", "+OK"],
        ["get e", null],
      ],
    ],
    [
      "that SET refuses",
      [
        ["set f 1 ex 0", "-ERR invalid expire time in 'set' command"],
        ["set f 1 ex -5", "-ERR invalid expire time in 'set' command"],
        ["set f 1 ex 9223372036854775807", "-ERR invalid expire time in 'set' command"],
        ["set f 1 ex x", "-ERR value is not an integer or out of range"],
        ["set f 1 ex", "-ERR syntax error"],
        ["set f 1 ex 1 px 1", "-ERR syntax error"],
        ["set f 1 ex 1 keepttl", "-ERR syntax error"],
        ["get f", null],
      ],
    ],
    [
      "of SETEX, PSETEX and GETEX",
      [
        ["setex g 100 1", "+OK"],
        ["ttl g", 100],
        ["psetex g 100000 2", "+OK"],
        ["getex g", "2"],
        ["getex g persist", "2"],
        ["ttl g", -1],
        ["getex g ex 50", "2"],
        ["ttl g", 50],
        ["getex g ex 50 px 1", "-ERR syntax error"],
        ["getex none ex 50", null],
        ["setex g 0 1", "-ERR invalid expire time in 'setex' command"],
      ],
    ],
    [
      "of EXPIRE and its kin",
      [
        ["set h 1", "+OK"],
        ["ttl h", -1],
        ["ttl none", -2],
        ["expire none 100", 0],
        ["expire h 100", 1],
        ["ttl h", 100],
        ["expire h 200 nx", 0],
        ["expire h 50 gt", 0],
        ["expire h 200 gt", 1],
        ["expire h 300 lt", 0],
        ["expire h 100 xx lt", 1],
        ["persist h", 1],
        ["persist h", 0],
        ["expire h 100 xx", 0],
        ["expire h 100 gt", 0],
        ["expire h 100 lt", 1],
        [`pexpireat h ${later}`, 1],
        ["pexpiretime h", later],
        [`expireat h ${laterSeconds}`, 1],
        ["expiretime h", laterSeconds],
        ["expire h 1 nx xx", /^-ERR NX and XX, GT or LT options at the same time/u],
        ["expire h 1 gt lt", /^-ERR GT and LT options at the same time/u],
        ["expire h 1 foo", "-ERR Unsupported option foo"],
        ["expire h x", "-ERR value is not an integer or out of range"],
        ["expire h 9223372036854775807", "-ERR invalid expire time in 'expire' command"],
        ["pexpire h -1", 1],
        ["exists h", 0],
      ],
    ],
  ])("%s", async (_, pairs) => {
    expect(await mismatches(opened.client, pairs)).toEqual([]);
  });

  it("end a value", async () => {
    expect(await mismatches(opened.client, [["set short 1 px 20", "+OK"]])).toEqual([]);
    while ((await opened.client.ask("EXISTS", "short")) === 1);
    expect(
      await mismatches(opened.client, [
        ["get short", null],
        ["ttl short", -2],
        ["setnx short 2", 1],
        ["ttl short", -1],
      ]),
    ).toEqual([]);
  });
});

describe("all keys", () => {
  const names = Array.from({ length: 250 }, (_, at) => `key:${at}`);

  beforeAll(async () => {
    await opened.client.ask("FLUSHALL");
    await opened.client.ask("MSET", ...names.flatMap((name) => [name, "v"]));
  });

  async function scanned(...options: readonly (string | number)[]): Promise<readonly string[]> {
    const found: string[] = [];
    let cursor = "0";
    do {
      const [next, keys] = (await opened.client.ask("SCAN", cursor, ...options)) as [
        string,
        string[],
      ];
      expect(next).toMatch(/^\d{1,20}$/u);
      found.push(...keys);
      cursor = next;
    } while (cursor !== "0");
    return found.sort();
  }

  it("SCAN returns each of them once while nothing changes", async () => {
    expect(await scanned()).toEqual(names.toSorted());
    expect(await scanned("COUNT", 1000)).toEqual(names.toSorted());
  });

  it("SCAN returns what matches", async () => {
    const few = names.filter((name) => /^key:1.$/u.test(name)).toSorted();
    expect(await scanned("MATCH", "key:1?", "COUNT", 10)).toEqual(few);
    expect(await scanned("MATCH", "*:1[0-9]")).toEqual(few);
    expect(await scanned("TYPE", "string", "MATCH", "key:7")).toEqual(["key:7"]);
    expect(await scanned("TYPE", "hash")).toEqual([]);
  });

  it("KEYS, DBSIZE and RANDOMKEY", async () => {
    expect(await opened.client.ask("DBSIZE")).toBe(250);
    const found = (await opened.client.ask("KEYS", "*1")) as string[];
    expect(found.toSorted()).toEqual(names.filter((name) => name.endsWith("1")).toSorted());
    expect(names).toContain(await opened.client.ask("RANDOMKEY"));
  });

  it("what SCAN refuses", async () => {
    expect(
      await mismatches(opened.client, [
        ["scan x", "-ERR invalid cursor"],
        ["scan 18446744073709551616", "-ERR invalid cursor"],
        ["scan 0 count 0", "-ERR syntax error"],
        ["scan 0 count x", "-ERR value is not an integer or out of range"],
        ["scan 0 match", "-ERR syntax error"],
        ["scan 0 foo bar", "-ERR syntax error"],
      ]),
    ).toEqual([]);
  });

  it("FLUSHALL deletes them, and says so in the log; elsewhere it is refused", async () => {
    expect(
      await mismatches(opened.client, [
        ["flushdb async", "+OK"],
        ["randomkey", null],
        ["dbsize", 0],
        ["flushall x", "-ERR syntax error"],
      ]),
    ).toEqual([]);
    expect(opened.events).toContainEqual(expect.objectContaining({ kind: "flushed", keys: 250 }));
    const guarded = await doors.open();
    expect(await guarded.client.ask("FLUSHALL")).toMatch(/^-ERR FLUSHALL .*respFlush/u);
  });
});

it("what is kept of a key", async () => {
  expect(
    await mismatches(opened.client, [
      ["mset int 12 short abc", "+OK"],
      [`set long ${"x".repeat(45)}`, "+OK"],
      ["object encoding int", "int"],
      ["object encoding short", "embstr"],
      ["object encoding long", "raw"],
      ["object encoding none", null],
      ["object freq int", /^-ERR An LFU maxmemory policy is not selected/u],
      ["object foo", "-ERR unknown subcommand 'foo'. Try OBJECT HELP."],
      ["object encoding", "-ERR wrong number of arguments for 'object|encoding' command"],
      ["memory usage none", null],
      ["memory usage long samples 0", 149],
    ]),
  ).toEqual([]);
});

it("nothing above met a defect", () => {
  expect(opened.defects).toEqual([]);
});
