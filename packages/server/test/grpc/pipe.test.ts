import { afterEach, describe, expect, it } from "vitest";
import { deleteOf, getOf, putOf, scanOf, valuesOf } from "./grpc-client.ts";
import { Gate, sleep, until } from "./gate.ts";
import { OpenedDoors } from "./open-door.ts";

const doors = new OpenedDoors();
afterEach(() => doors.close());

describe("a Pipe", () => {
  it("answers a greeting, and each later message without requests", async () => {
    const { client, door } = await doors.open();
    const pipe = client.pipe();
    pipe.greet();
    await until(() => pipe.counts.messages === 1);
    pipe.greet();
    await until(() => pipe.counts.messages === 2);
    expect(pipe.counts.replies).toBe(0);
    expect(door.statistics.pipes).toBe(1);
    pipe.call.end();
    expect(await pipe.ended).toBe(undefined);
    expect(door.statistics.pipes).toBe(0);
  });

  it("carries out all kinds of requests, in one message or in many", async () => {
    const { client, observed } = await doors.open();
    const pipe = client.pipe();
    const [put] = pipe.ask(putOf("a", "1"));
    expect(await put).toMatchObject({ kind: "write", siblings: 1 });
    const [got, missing, scanned, refused] = pipe.ask(
      getOf("a"),
      getOf("b"),
      scanOf(),
      putOf("k", "v", { ttlMs: -1 }),
    );
    expect(valuesOf(await got)).toEqual(["1"]);
    expect(valuesOf(await missing)).toEqual([]);
    expect(await scanned).toMatchObject({ kind: "scan", items: [{ siblings: 1 }] });
    expect(await refused).toMatchObject({ kind: "failure", code: "bad-request" });
    const [deleted] = pipe.ask(deleteOf("a"));
    expect(await deleted).toMatchObject({ kind: "write", siblings: 0 });
    expect(observed.map(({ operation }) => operation).toSorted()).toEqual([
      "delete",
      "get",
      "get",
      "put",
      "put",
      "scan",
    ]);
  });

  it("answers a whole message with few", async () => {
    const { client, door } = await doors.open();
    const pipe = client.pipe();
    const replies = await Promise.all(
      pipe.ask(...Array.from({ length: 90 }, (_, at) => putOf(`k${at}`, "v"))),
    );
    expect(replies.every((reply) => reply?.kind === "write")).toBe(true);
    expect(door.statistics).toMatchObject({ messages: 1, requests: 90, replies: 90 });
    expect(pipe.counts.messages).toBeLessThan(10);
  });

  it("answers what is in flight when its client has said all", async () => {
    const gate = new Gate();
    const { client } = await doors.open({ wrap: (node) => gate.before(node) });
    const pipe = client.pipe();
    const [reply] = pipe.ask(putOf("k", "v"));
    pipe.call.end();
    await until(() => gate.waiting === 1);
    gate.open();
    expect(await reply).toMatchObject({ kind: "write" });
    expect(await pipe.ended).toBe(undefined);
  });

  it("leaves out the answer to what was taken back, whose id is then free", async () => {
    const gate = new Gate();
    const { client, door } = await doors.open({ wrap: (node) => gate.before(node) });
    const pipe = client.pipe();
    pipe.send([7, putOf("k", "taken back")]);
    await until(() => gate.waiting === 1);
    pipe.send([7, { kind: "cancel" }], [99, { kind: "cancel" }]);
    pipe.send([7, getOf("other")]);
    await until(() => gate.waiting === 2);
    const reply = pipe.replyTo(7);
    gate.open();
    expect(await reply).toMatchObject({ kind: "get", siblings: [] });
    await sleep(20);
    expect(pipe.strays).toEqual([]);
    expect(door.statistics).toMatchObject({ cancelled: 1, replies: 1 });
  });

  it("refuses requests alone, beside those that are carried out", async () => {
    const { client, door } = await doors.open();
    const pipe = client.pipe();
    const good = pipe.replyTo(8);
    const bad = pipe.replyTo(7);
    const key = [0x12, 3, 0x12, 1, 107];
    const twoRequests = [0x0a, 15, 0x0d, 7, 0, 0, 0, ...key, ...key];
    const get = [0x0a, 10, 0x0d, 8, 0, 0, 0, ...key];
    pipe.call.write(Uint8Array.of(...twoRequests, ...get));
    expect(await bad).toMatchObject({ code: "bad-request", message: "one id has two requests" });
    expect(await good).toMatchObject({ kind: "failure", code: "bad-request" });
    expect(door.statistics.malformed).toBe(1);
  });

  it.each<[string, readonly number[]]>([
    ["garbage", [0xff, 0xff, 0xff]],
    ["a request without an id", [0x0a, 2, 0x12, 0]],
    ["a request longer than the message", [0x0a, 100, 0x0d]],
  ])("ends with what cannot be answered: %s", async (_, bytes) => {
    const { client, door } = await doors.open();
    const pipe = client.pipe();
    pipe.call.write(Uint8Array.from(bytes));
    expect(await pipe.ended).toMatchObject({ status: "INVALID_ARGUMENT", code: "bad-request" });
    expect(door.statistics).toMatchObject({ pipes: 0, malformed: 1 });
    expect(await client.get(getOf("k"))).toMatchObject({ ok: true });
  });

  it("ends with an id that has no answer yet", async () => {
    const gate = new Gate();
    const { client } = await doors.open({ wrap: (node) => gate.before(node) });
    const pipe = client.pipe();
    pipe.send([7, putOf("k", "v")], [7, getOf("k")]);
    expect(await pipe.ended).toMatchObject({ status: "INVALID_ARGUMENT" });
    gate.open();
  });

  it("refuses requests over its budgets, until others are answered", async () => {
    const gate = new Gate();
    const options = { pipeOperationsMax: 3, pipeBytesMax: 1000 };
    const { client } = await doors.open({ options, wrap: (node) => gate.before(node) });
    const pipe = client.pipe();
    const held = pipe.ask(putOf("a", "x".repeat(600)), getOf("b"));
    const [tooLarge] = pipe.ask(putOf("c", "x".repeat(600)));
    expect(await tooLarge).toMatchObject({ code: "overloaded", isRetryable: true });
    const last = pipe.ask(getOf("d"));
    const [tooMany] = pipe.ask(getOf("e"));
    expect(await tooMany).toMatchObject({ code: "overloaded", isOutcomeUnknown: false });
    gate.open();
    for (const reply of [...held, ...last]) expect((await reply)?.kind).not.toBe("failure");
    const [again] = pipe.ask(putOf("c", "x".repeat(600)));
    expect(await again).toMatchObject({ kind: "write" });
  });

  it("counts what was taken back in its budget, until the node is done with it", async () => {
    const gate = new Gate();
    const options = { pipeOperationsMax: 2 };
    const { client } = await doors.open({ options, wrap: (node) => gate.before(node) });
    const pipe = client.pipe();
    pipe.send([1, getOf("a")], [2, getOf("b")], [1, { kind: "cancel" }], [2, { kind: "cancel" }]);
    const refused = pipe.replyTo(3);
    pipe.send([3, getOf("c")]);
    expect(await refused).toMatchObject({ code: "overloaded" });
    gate.open();
  });

  it("is one of a thousand, on one connection and on many", async () => {
    const options = { streamsMax: 400, connectionsMax: 100 };
    const { client, connect, door } = await doors.open({ options });
    const clients = [client, connect(), connect(), connect()];
    const pipes = clients.flatMap((each) => Array.from({ length: 250 }, () => each.pipe()));
    for (let from = 0; from < pipes.length; from += 50) {
      const some = pipes.slice(from, from + 50);
      const replies = some.map((pipe, at) => pipe.ask(putOf(`k${from + at}`, "v"))[0]);
      for (const reply of replies) expect(await reply).toMatchObject({ kind: "write" });
    }
    expect(door.statistics.pipes).toBe(1000);
    for (const pipe of pipes) pipe.call.cancel();
    await until(() => door.statistics.pipes === 0);
  });

  it("is gone when its client is, with what it had in flight", async () => {
    const gate = new Gate();
    const { connect, door, node } = await doors.open({ wrap: (each) => gate.before(each) });
    const lost = connect();
    const pipe = lost.pipe();
    pipe.send([1, putOf("k", "v")]);
    await until(() => gate.waiting === 1);
    pipe.call.cancel();
    await until(() => door.statistics.pipes === 0);
    gate.open();
    await until(() => node.statistics().puts === 1);
    expect(door.statistics.replies).toBe(0);
  });

  it("ends at the deadline of its call", async () => {
    const { client } = await doors.open();
    const pipe = client.pipe({ deadline: Date.now() + 100 });
    pipe.greet();
    expect(await pipe.ended).toMatchObject({ status: "DEADLINE_EXCEEDED" });
  });
});

describe("a Pipe whose replies nobody reads", () => {
  const large = "x".repeat(4000);

  it("is not read either, is withheld large replies, and goes on when they are read", async () => {
    const options = { pipePauseBytes: 20_000, pipeUnreadBytesMax: 100_000 };
    const { client, door } = await doors.open({ options });
    await client.put(putOf("k", large));
    const pipe = client.pipe();
    await pipe.ask(getOf("k"))[0];
    pipe.call.pause();
    // More than the window of the stream and all buffers on the way hold.
    const rounds = 3000;
    const replies = [];
    for (let round = 0; round < rounds; round++) replies.push(...pipe.ask(getOf("k")));
    let before = -1;
    while (before !== door.statistics.messages) {
      before = door.statistics.messages;
      await sleep(100);
    }
    expect(door.statistics.messages).toBeLessThan(rounds);
    pipe.call.resume();
    const kinds = new Map<string | undefined, number>();
    for (const reply of replies) {
      const { kind } = (await reply) ?? { kind: undefined };
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect((kinds.get("get") ?? 0) + (kinds.get("failure") ?? 0)).toBe(rounds);
    expect(kinds.get("get")).toBeGreaterThan(0);
  });

  it("is cut off when that goes on", async () => {
    const options = { pipePauseBytes: 20_000, silenceMs: 300 };
    const { connect, client, door } = await doors.open({ options });
    await client.put(putOf("k", large));
    const deaf = connect().pipe();
    await deaf.ask(getOf("k"))[0];
    deaf.call.pause();
    for (let id = 10; id < 1000; id++) deaf.send([id, getOf("k")]);
    await until(() => door.statistics.pipes === 0);
    deaf.call.resume();
    expect(await deaf.ended).toMatchObject({ status: "RESOURCE_EXHAUSTED", code: "overloaded" });
    expect(valuesOf((await client.pipe().ask(getOf("k"))[0]) ?? undefined)).toEqual([large]);
  });
});

describe("a door that closes", () => {
  it("sends what is in flight, refuses what is new, and ends its Pipes", async () => {
    const gate = new Gate();
    const { client, door } = await doors.open({ wrap: (node) => gate.before(node) });
    const pipe = client.pipe();
    const idle = client.pipe();
    idle.greet();
    await until(() => idle.counts.messages === 1);
    const [reply] = pipe.ask(putOf("k", "v"));
    await until(() => gate.waiting === 1);
    const closed = door.close(5000);
    const [late] = pipe.ask(getOf("k"));
    expect(await late).toMatchObject({ kind: "failure", code: "shutting-down" });
    expect(await idle.ended).toMatchObject({ status: "UNAVAILABLE", code: "shutting-down" });
    expect(await client.get(getOf("k"))).toMatchObject({ failed: { code: "shutting-down" } });
    gate.open();
    expect(await reply).toMatchObject({ kind: "write" });
    expect(await pipe.ended).toMatchObject({ status: "UNAVAILABLE", code: "shutting-down" });
    await closed;
    expect(await client.get(getOf("k"))).toMatchObject({ failed: { status: "UNAVAILABLE" } });
  });

  it("waits no longer than it was given", async () => {
    const gate = new Gate();
    const { client, door } = await doors.open({ wrap: (node) => gate.before(node) });
    const pipe = client.pipe();
    pipe.send([1, putOf("k", "v")]);
    await until(() => gate.waiting === 1);
    await door.close(50);
    expect(await pipe.ended).toMatchObject({ status: "UNAVAILABLE" });
    gate.open();
  });
});
