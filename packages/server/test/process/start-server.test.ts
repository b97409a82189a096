import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import type { ServerConfig } from "../../src/config/server-config.ts";
import { type Log, openLog } from "../../src/observability/log.ts";
import type { RunningServer } from "../../src/running-server.ts";
import { startServer } from "../../src/start-server.ts";

let directory: string;
let servers: RunningServer[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-server-"));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.drain();
  rmSync(directory, { recursive: true });
});

function configOf(flags: Readonly<Record<string, unknown>>): ServerConfig {
  const loaded = loadConfig({
    env: {},
    flags: {
      id: "n1",
      http: "127.0.0.1:0",
      grpc: "127.0.0.1:0",
      resp: "127.0.0.1:0",
      peer: "127.0.0.1:0",
      data: join(directory, "n1"),
      segmentBytes: 1024 * 1024,
      reserveBytes: 0,
      partitions: 8,
      logLevel: "silent",
      ...flags,
    },
  });
  if (!loaded.ok) throw new Error(loaded.message);
  return loaded.config;
}

function open(
  flags: Readonly<Record<string, unknown>> = {},
  log?: Log,
): ReturnType<typeof startServer> {
  const config = configOf(flags);
  return startServer(config, {
    log: log ?? openLog(config),
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
}

/** A log that keeps its warnings. */
function collecting(lines: unknown[]): Log {
  const write = (line: string): void => {
    const { level: _, msg: __, ...facts } = JSON.parse(line) as Record<string, unknown>;
    lines.push(facts);
  };
  return pino({ level: "warn", base: null, timestamp: false }, { write });
}

async function opened(
  flags: Readonly<Record<string, unknown>> = {},
  log?: Log,
): Promise<RunningServer> {
  const start = await open(flags, log);
  if (!start.ok) throw new Error(start.message);
  servers.push(start.server);
  return start.server;
}

const urlOf = (server: RunningServer, path: string): string => `http://${server.http}${path}`;
const key = "/v1/buckets/default/keys/flag";

describe("a server", () => {
  it("serves, names the ports it was given, and keeps its data across a restart", async () => {
    const first = await opened();
    expect(await first.started).toEqual({ ok: true });
    const put = await fetch(urlOf(first, key), { method: "PUT", body: "blue" });
    expect(put.status).toBe(204);
    const cluster = await (await fetch(urlOf(first, "/v1/cluster"))).json();
    expect(cluster).toMatchObject({
      members: [{ id: "n1", http: first.http, grpc: first.grpc, address: first.peer }],
    });
    const metrics = await (await fetch(urlOf(first, "/metrics"))).text();
    expect(metrics).toMatch(/^coterie_puts_total 1$/mu);
    await first.drain();
    await expect(fetch(urlOf(first, "/livez"))).rejects.toThrow("fetch failed");
    const second = await opened({ peer: first.peer });
    expect(await second.started).toEqual({ ok: true });
    expect(await (await fetch(urlOf(second, key))).text()).toBe("blue");
  });

  it("starts with other buckets configured than its cluster has, and says so", async () => {
    const first = await opened();
    await first.started;
    await first.drain();
    const buckets = { carts: { n: 1 }, default: { policy: "lww" } };
    const lines: unknown[] = [];
    const second = await opened({ peer: first.peer, buckets }, collecting(lines));
    expect(await second.started).toEqual({ ok: true });
    expect(lines).toContainEqual({
      event: "bucket-differs",
      bucket: "carts",
      reason: expect.stringContaining("coterie bucket create carts --policy siblings --n 1"),
    });
    expect(lines).toContainEqual({
      event: "bucket-differs",
      bucket: "default",
      reason: expect.stringContaining("policy siblings in the cluster and lww here"),
    });
  });

  it.each([
    [{ hash: "redis-slots" }, "hash is md5 in the cluster and redis-slots here"],
    [{ partitions: 16 }, "partitions is 8 in the cluster and 16 here"],
  ])("says which settings its cluster was not formed with: %o", async (changed, difference) => {
    const first = await opened();
    await first.started;
    await fetch(urlOf(first, key), { method: "PUT", body: "blue" });
    await first.drain();
    const second = await opened({ peer: first.peer, ...changed });
    const outcome = await second.started;
    expect(outcome).toMatchObject({ ok: false, code: "wrong-directory" });
    const message = outcome.ok ? "" : outcome.message;
    expect(message).toMatch(/^n1 is configured otherwise/u);
    expect(message).toContain(difference);
    expect(message).toMatch(/not-yet.*coterie export/u);
    await second.drain();
    const third = await opened({ peer: first.peer });
    expect(await third.started).toEqual({ ok: true });
    expect(await (await fetch(urlOf(third, key))).text()).toBe("blue");
  });

  it("is alive and says what it waits for until its cluster has formed", async () => {
    const server = await opened({ bootstrap: "127.0.0.1:1" });
    expect((await fetch(urlOf(server, "/livez"))).status).toBe(200);
    let missing: readonly string[] = [];
    while (!missing.join().includes("127.0.0.1:1")) {
      const ready = await fetch(urlOf(server, "/readyz"));
      expect(ready.status).toBe(503);
      ({ missing } = (await ready.json()) as { missing: readonly string[] });
    }
    const refused = await fetch(urlOf(server, key));
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "not-ready", retryable: true });
    await server.drain();
    expect(await server.started).toMatchObject({ ok: false, code: "not-formed" });
  });

  it("names the process that has its directory", async () => {
    const holder = await opened();
    await holder.started;
    const second = await opened();
    expect(await second.started).toMatchObject({
      ok: false,
      code: "locked",
      message: expect.stringMatching(new RegExp(`n1 is in use .*process ${process.pid}`, "u")),
    });
  });

  it.each(["http", "grpc", "peer"] as const)("says which port is in use: %s", async (door) => {
    const holder = await opened();
    const second = await open({ [door]: holder[door], data: join(directory, "n2") });
    expect(second).toMatchObject({
      ok: false,
      message: expect.stringContaining(`port ${holder[door].split(":")[1]} of the ${door} door`),
    });
  });

  it("refuses an impossible directory, a bad cluster key, and bad quorums", async () => {
    expect(await open({ data: "/dev/null/x" })).toMatchObject({
      ok: false,
      message: expect.stringContaining("/dev/null/x"),
    });
    expect(await open({ clusterKey: "/dev/null" })).toMatchObject({
      ok: false,
      message: expect.stringContaining("64 hex digits"),
    });
    expect(await open({ buckets: { a: { n: 1, r: 2 } } })).toMatchObject({ ok: false });
  });
});
