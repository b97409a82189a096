import { createServer } from "node:net";
import { PipeReplyBatch } from "@coterie/protocol";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { Coterie } from "../src/index.ts";
import { PipeServer } from "./pipe-server.ts";

let server: PipeServer;
let coterie: Coterie;

beforeEach(async () => {
  server = await PipeServer.start();
  coterie = new Coterie({ nodes: [server.address] });
});
afterEach(async () => {
  await coterie.close({ drain: false });
  server.stop();
});

it("speaks Pipe: puts, gets, deletes and scans over one stream", async () => {
  await coterie.put("k", "v");
  expect(await coterie.get("k")).toMatchObject({ kind: "value" });
  const keys: string[] = [];
  for await (const { text } of coterie.scan()) keys.push(text);
  expect(keys).toEqual(["k"]);
  await coterie.delete("k");
  expect(await coterie.get("k")).toMatchObject({ kind: "absent" });
  expect(server.pipes.size).toBe(1);
});

it("makes one message of the operations of a turn", async () => {
  await coterie.get("warm");
  const before = server.messages;
  await Promise.all(Array.from({ length: 200 }, (_, at) => coterie.get(`k${at}`)));
  expect(server.requests).toBe(201);
  expect(server.messages - before).toBe(1);
});

it("survives an answer that is not one: the connection is replaced", async () => {
  await coterie.get("warm");
  server.garbage = Buffer.from("nonsense");
  expect(await coterie.put("k", "v")).toMatchObject({ siblings: 1 });
  expect(coterie.statistics).toMatchObject({ connectionsOpened: 2, connectionsBroken: 1 });
});

it.each(["get", "put", "scan"] as const)(
  "takes an answer to a %s that makes no sense for a failure of that operation",
  async (kind) => {
    const acks = { primaries: 1, fallbacks: 0, required: 1 };
    const context = "not a context";
    const version = { contentType: "", dot: "", writtenAtMs: 0, expiresAtMs: 0 };
    const value = Uint8Array.of(1);
    const item = { key: value, context, siblings: 1, bytes: 1 };
    const answers = new PipeReplyBatch();
    // The first request of a connection has the id 1.
    if (kind === "get") {
      answers.add(1, { kind, siblings: [{ value, ...version }], context: undefined, acks });
    } else if (kind === "put") {
      answers.add(1, { kind: "write", context, siblings: 1, acks, body: [] });
    } else answers.add(1, { kind, items: [item], cursor: undefined });
    server.garbage = Buffer.from(answers.take());
    const answer =
      kind === "get"
        ? coterie.get("k")
        : kind === "put"
          ? coterie.put("k", "v")
          : coterie.scanPage();
    await expect(answer).rejects.toMatchObject({ code: "internal" });
    expect(await coterie.get("k")).toMatchObject({ kind: "absent" });
  },
);

it("fails what is in flight when the server dies, and says what may have happened", async () => {
  await coterie.get("warm");
  server.isMute = true;
  const put = coterie.put("k", "v", { retries: false });
  const get = coterie.get("k", { retries: false });
  await expect.poll(() => server.messages, { timeout: 5000 }).toBeGreaterThan(1);
  server.stop();
  await expect(put).rejects.toMatchObject({ code: "connection-lost", outcome: "unknown" });
  await expect(get).rejects.toMatchObject({ code: "connection-lost", outcome: "refused" });
});

it("says that nobody is there, within the deadline", async () => {
  const unused = createServer();
  await new Promise<void>((resolve) => unused.listen(0, "127.0.0.1", resolve));
  const address = unused.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  await new Promise((resolve) => unused.close(resolve));
  const lost = new Coterie({ nodes: [`127.0.0.1:${port}`], timeoutMs: 300 });
  onTestFinished(() => lost.close());
  await expect(lost.get("k")).rejects.toMatchObject({ code: "unreachable", outcome: "refused" });
});

it("gives up a server that accepts connections and says nothing", async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  // The second node is the one that answers.
  const lost = new Coterie({ nodes: [`127.0.0.1:${port}`, server.address] });
  onTestFinished(() => lost.close());
  for (let at = 0; at < 10; at += 1) {
    expect(await lost.get(`k${at}`)).toMatchObject({ kind: "absent" });
  }
  silent.close();
});

it.each(["", "no-port", "http://host:1", "a b:1"])("refuses the address %j", (address) => {
  expect(() => new Coterie({ nodes: [address] })).toThrow("bad-request");
});

it("refuses to be made without nodes", () => {
  expect(() => new Coterie({ nodes: [] })).toThrow("at least one node");
});
