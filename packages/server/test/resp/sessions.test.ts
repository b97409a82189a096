import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mismatches } from "./exchange.ts";
import { type OpenedDoor, OpenedDoors } from "./open-door.ts";
import type { Said } from "./raw-redis.ts";

const doors = new OpenedDoors();
let opened: OpenedDoor;

beforeAll(async () => {
  opened = await doors.open();
});

afterAll(() => doors.close());

describe("a connection", () => {
  it("answers what clients begin with", async () => {
    expect(
      await mismatches(opened.connect(), [
        ["ping", "+PONG"],
        ["PING hello", "hello"],
        ["ping a b", "-ERR wrong number of arguments for 'ping' command"],
        ["echo x", "x"],
        ["select 0", "+OK"],
        ["select 1", "-ERR DB index is out of range"],
        ["select x", "-ERR value is not an integer or out of range"],
        ["auth x", /^-ERR AUTH <password> called without any password configured/u],
        ["auth default x", "+OK"],
        ["auth bob x", /^-WRONGPASS/u],
        ["hello 4", "-NOPROTO unsupported protocol version"],
        ["hello x", /^-ERR Protocol version is not an integer/u],
        ["hello 3 setname ann auth default x", /^server,redis,version,7/u],
        ["get none", null],
        ["client getname", "ann"],
        ["reset", "+RESET"],
        ["client getname", null],
        ["time", /^\d{10},\d{1,6}$/u],
        ["info", /redis_version:7.*\ncoterie_version:.*\nloading:0\r/su],
        ["info replication", /^# Replication\r\nrole:/u],
        ["config get save", ["save", ""]],
        ["config get append*", /appendonly,yes/u],
        ["config set appendonly yes", "+OK"],
        ["config set appendonly no", /^-ERR CONFIG SET failed/u],
        ["config set foo bar", /^-ERR Unknown option/u],
        ["config foo", "-ERR unknown subcommand 'foo'. Try CONFIG HELP."],
        ["readonly", "+OK"],
        ["foo 'a b'", "-ERR unknown command 'foo', with args beginning with: 'a b' "],
        ["lpush a b", /^-ERR unknown command 'lpush': there are no lists/u],
        ["eval 1 0", /^-ERR unknown command 'eval': there are no scripts/u],
      ]),
    ).toEqual([]);
  });

  it("knows itself and the others", async () => {
    const [one, two] = [opened.connect(), opened.connect()];
    const id = Number(await one.ask("CLIENT", "ID"));
    expect(await one.ask("CLIENT", "SETINFO", "LIB-NAME", "test")).toBe("+OK");
    expect(await one.ask("CLIENT", "SETINFO", "LIB-FOO", "x")).toMatch(
      /^-ERR Unrecognized option/u,
    );
    expect(await one.ask("CLIENT", "SETNAME", "a b")).toMatch(/^-ERR Client names cannot/u);
    expect(await one.ask("CLIENT", "INFO")).toMatch(new RegExp(`^id=${id} .* lib-name=test`, "u"));
    expect(await two.ask("CLIENT", "LIST", "ID", id)).toMatch(/^id=\d+ [^\n]*\n$/u);
    expect(await two.ask("CLIENT", "LIST", "TYPE", "pubsub")).toBe("");
    expect(await two.ask("CLIENT", "KILL", "ID", id)).toBe(1);
    await one.closed();
    expect(await two.ask("CLIENT", "KILL", "1.2.3.4:5")).toBe("-ERR No such client");
    expect(await two.ask("CLIENT", "KILL", "SKIPME", "no", "USER", "x")).toMatch(/No such user/u);
    expect(await two.ask("CLIENT", "MAINT_NOTIFICATIONS", "ON")).toMatch(
      /^-ERR unknown subcommand/u,
    );
    expect(await two.ask("PING")).toBe("+PONG");
  });

  it("says nothing when its client wants no replies", async () => {
    const client = opened.connect();
    client.send("CLIENT REPLY OFF\r\nSET silent 1\r\nCLIENT REPLY ON\r\nGET silent\r\n");
    expect(await client.replies(2)).toEqual(["+OK", "1"]);
    client.send("CLIENT REPLY SKIP\r\nGET silent\r\nPING\r\n");
    expect(await client.reply()).toBe("+PONG");
  });

  it("ends after QUIT, when all before it is answered", async () => {
    const client = opened.connect();
    client.send("SET quit 1\r\nGET quit\r\nQUIT\r\nSET quit 2\r\n");
    expect(await client.replies(4)).toEqual(["+OK", "1", "+OK", "(closed)"]);
    expect(await opened.client.ask("GET", "quit")).toBe("1");
  });

  it("answers what was sent before its client closed its half", async () => {
    const client = opened.connect();
    client.socket.end("SET half 1\r\nGET half\r\n");
    expect(await client.replies(3)).toEqual(["+OK", "1", "(closed)"]);
  });

  it("tells what the door can do", async () => {
    const client = opened.connect();
    const count = Number(await client.ask("COMMAND", "COUNT"));
    const commands = (await client.ask("COMMAND")) as readonly (readonly Said[])[];
    expect(commands.length).toBe(count);
    expect(new Set(commands.map(([name]) => name)).size).toBe(count);
    expect(await client.ask("COMMAND", "INFO", "get", "foo")).toEqual([
      expect.arrayContaining(["get", 2, 1, 1]),
      null,
    ]);
    expect(await client.ask("COMMAND", "DOCS", "get")).toEqual([
      "get",
      expect.arrayContaining(["summary", "since", "1.0.0"]),
    ]);
    const docs = (await client.ask("COMMAND", "DOCS", "set", "mget")) as [
      string,
      Said[],
      string,
      Said[],
    ];
    expect(docs[1].at(-1)).toEqual([
      ["name", "key", "type", "key"],
      ["name", "value", "type", "string"],
      expect.arrayContaining(["nx-or-xx", "oneof", ["+optional"]]),
      ["name", "get", "type", "pure-token", "token", "GET", "flags", ["+optional"]],
      expect.arrayContaining([
        expect.arrayContaining([
          ["name", "seconds", "type", "integer", "token", "EX"],
          ["name", "keepttl", "type", "pure-token", "token", "KEEPTTL"],
        ]),
      ]),
    ]);
    expect(docs[3].at(-1)).toEqual([["name", "key", "type", "key", "flags", ["+multiple"]]]);
    expect(await client.ask("COMMAND", "GETKEYS", "MSET", "a", 1, "b", 2)).toEqual(["a", "b"]);
    expect(await client.ask("COMMAND", "GETKEYS", "PING")).toMatch(/no key arguments/u);
    expect(await client.ask("COMMAND", "LIST", "FILTERBY", "PATTERN", "getr*")).toEqual([
      "getrange",
    ]);
    expect((await client.ask("COMMAND", "LIST")) as string[]).toContain("get");
  });
});

describe("a transaction", () => {
  it("carries out what was queued, in order", async () => {
    expect(
      await mismatches(opened.connect(), [
        ["multi", "+OK"],
        ["set t 1", "+QUEUED"],
        ["incr t", "+QUEUED"],
        ["get t", "+QUEUED"],
        ["foo", /^-ERR unknown command/u],
        ["exec", /^-EXECABORT/u],
        ["exec", "-ERR EXEC without MULTI"],
        ["multi", "+OK"],
        ["multi", "-ERR MULTI calls can not be nested"],
        ["watch t", "-ERR WATCH inside MULTI is not allowed"],
        ["set t x", "+QUEUED"],
        ["incr t", "+QUEUED"],
        ["append t y", "+QUEUED"],
        ["mget t none", "+QUEUED"],
      ]),
    ).toEqual([]);
    const client = opened.connect();
    client.send("MULTI\r\nSET t x\r\nINCR t\r\nAPPEND t y\r\nMGET t none\r\nPING\r\nEXEC\r\n");
    expect((await client.replies(7)).at(-1)).toEqual([
      "+OK",
      "-ERR value is not an integer or out of range",
      2,
      ["xy", null],
      "+PONG",
    ]);
    expect(
      await mismatches(client, [
        ["multi", "+OK"],
        ["get", "-ERR wrong number of arguments for 'get' command"],
        ["exec", /^-EXECABORT/u],
        ["multi", "+OK"],
        ["discard", "+OK"],
        ["discard", "-ERR DISCARD without MULTI"],
        ["multi", "+OK"],
        ["exec", []],
      ]),
    ).toEqual([]);
  });

  it("with thousands of commands", async () => {
    const client = opened.connect();
    client.send(`MULTI\r\n${"PING\r\n".repeat(20_000)}EXEC\r\n`);
    const replies = await client.replies(20_002);
    expect((replies.at(-1) as Said[]).length).toBe(20_000);
  });

  it("fails if the watched key changed, and not otherwise", async () => {
    const [one, two] = [opened.connect(), opened.connect()];
    expect(
      await mismatches(one, [
        ["set w 1", "+OK"],
        ["watch w", "+OK"],
        ["get w", "1"],
      ]),
    ).toEqual([]);
    expect(await mismatches(two, [["set w 2", "+OK"]])).toEqual([]);
    expect(
      await mismatches(one, [
        ["multi", "+OK"],
        ["set w 3", "+QUEUED"],
        ["exec", null],
        ["get w", "2"],
      ]),
    ).toEqual([]);
    expect(
      await mismatches(one, [
        ["watch w", "+OK"],
        ["multi", "+OK"],
        ["incr w", "+QUEUED"],
      ]),
    ).toEqual([]);
    expect(await one.ask("EXEC")).toEqual([3]);
    expect(
      await mismatches(one, [
        ["watch w", "+OK"],
        ["unwatch", "+OK"],
      ]),
    ).toEqual([]);
    expect(await mismatches(two, [["set w 9", "+OK"]])).toEqual([]);
    expect(
      await mismatches(one, [
        ["multi", "+OK"],
        ["incr w", "+QUEUED"],
      ]),
    ).toEqual([]);
    expect(await one.ask("EXEC")).toEqual([10]);
    expect(
      await mismatches(one, [
        ["watch a b", /^-ERR WATCH takes one key/u],
        ["watch a", "+OK"],
      ]),
    ).toEqual([]);
    expect(
      await mismatches(one, [
        ["watch b", /^-ERR WATCH takes one key/u],
        ["watch a", "+OK"],
      ]),
    ).toEqual([]);
  });

  it("has the watched key for itself at this node: increments by WATCH are not lost", async () => {
    const clients = Array.from({ length: 4 }, () => opened.connect());
    let failed = 0;
    await Promise.all(
      clients.map(async (client) => {
        for (let done = 0; done < 10;) {
          await client.ask("WATCH", "sum");
          const before = Number((await client.ask("GET", "sum")) ?? 0);
          client.send(`MULTI\r\nSET sum ${before + 1}\r\nEXEC\r\n`);
          const [, , outcome] = await client.replies(3);
          if (outcome === null) failed += 1;
          else done += 1;
        }
      }),
    );
    expect(await opened.client.ask("GET", "sum")).toBe("40");
    expect(failed).toBeGreaterThan(0);
  });
});

describe("contexts", () => {
  it("COT.PUT replaces what its context has read, and leaves the rest as siblings", async () => {
    const client = opened.connect();
    const [, context] = (await client.ask("COT.PUT", "k", "milk", "BUCKET", "default")) as string[];
    expect(await client.ask("COT.PUT", "k", "eggs", "BUCKET", "default")).toEqual([
      "context",
      null,
      "siblings",
      2,
    ]);
    const replaced = ["COT.PUT", "k", "bread", "CONTEXT", context ?? "", "BUCKET", "default"];
    expect(await client.ask(...replaced)).toEqual(["context", null, "siblings", 2]);
    const [, seen, , siblings] = (await client.ask("COT.GET", "k", "BUCKET", "default")) as [
      string,
      string,
      string,
      string[][],
    ];
    expect(siblings.map((sibling) => String(sibling[1])).toSorted()).toEqual(["bread", "eggs"]);
    await client.ask("COT.DEL", "k", "CONTEXT", seen, "BUCKET", "default");
    expect(await client.ask("COT.GET", "k", "BUCKET", "default")).toEqual([
      "context",
      expect.any(String),
      "siblings",
      [],
    ]);
    expect(
      await mismatches(client, [
        ["cot.put k v context forged", /^-ERR bad-context/u],
        ["cot.get k bucket none", /^-ERR no-such-bucket/u],
        ["cot.get k bucket A", /^-ERR bad-request/u],
        ["cot.get k context x", "-ERR syntax error"],
      ]),
    ).toEqual([]);
  });
});

describe("in a bucket with a time to live", () => {
  it("what a command does not say comes from the bucket, and PERSIST takes it away", async () => {
    const { node, client, defects } = await doors.open();
    const given = { ttlMs: 100_000 };
    const nearly = /^(?:100|9\d)$/u;
    expect(await node.changeBucket({ intent: "change", name: "redis", given })).toMatchObject({
      ok: true,
    });
    expect(
      await mismatches(client, [
        ["set a 1", "+OK"],
        ["ttl a", nearly],
        ["incr a", 2],
        ["ttl a", nearly],
        ["persist a", 1],
        ["ttl a", -1],
        ["persist a", 0],
        ["incr a", 3],
        ["append a 0", 2],
        ["setrange a 0 4", 2],
        ["incrbyfloat a 1", "41"],
        ["set a 5 keepttl", "+OK"],
        ["ttl a", -1],
        ["getset a 6", "5"],
        ["ttl a", nearly],
        ["getex a persist", "6"],
        ["ttl a", -1],
        ["expire a 50 nx", 1],
        ["ttl a", /^[45]\d$/u],
        ["setnx b 1", 1],
        ["append c 1", 1],
        ["mset d 1 e 1", "+OK"],
        ["set f 1 keepttl", "+OK"],
        ["ttl b", nearly],
        ["ttl c", nearly],
        ["ttl d", nearly],
        ["ttl f", nearly],
        ["cot.put g 1", /^context/u],
        ["ttl g", nearly],
        ["cot.put g 1 persist", /^context/u],
        ["ttl g", -1],
        ["cot.put g 1 ex 50 bucket redis", /^context/u],
        ["ttl g", /^[45]\d$/u],
        ["cot.put g 1 ex 50 persist", "-ERR syntax error"],
        ["cot.put g 1 persist px 5", "-ERR syntax error"],
        ["cot.put g 1 ex 0", "-ERR invalid expire time in 'cot.put' command"],
        ["cot.del g persist", "-ERR syntax error"],
      ]),
    ).toEqual([]);
    expect(defects).toEqual([]);
  });
});

it("nothing above met a defect", () => {
  expect(opened.defects).toEqual([]);
});
