import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clusterSettingsOf } from "../../src/config/cluster-settings.ts";
import { type ConfigSources, loadConfig } from "../../src/config/load-config.ts";
import type { ServerConfig } from "../../src/config/server-config.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-config-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

function load({
  file,
  env = {},
  flags = { id: "n1" },
}: {
  readonly file?: unknown;
  readonly env?: ConfigSources["env"];
  readonly flags?: ConfigSources["flags"];
}): ReturnType<typeof loadConfig> {
  if (file === undefined) return loadConfig({ env, flags });
  const path = join(directory, "config.json");
  writeFileSync(path, typeof file === "string" ? file : JSON.stringify(file));
  return loadConfig({ file: path, env, flags });
}

function loaded(sources: Parameters<typeof load>[0]): ServerConfig {
  const outcome = load(sources);
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.config;
}

function refusal(sources: Parameters<typeof load>[0]): string {
  const outcome = load(sources);
  return outcome.ok ? "it was accepted" : outcome.message;
}

describe("where settings come from", () => {
  it("defaults need a name only", () => {
    const config = loaded({});
    expect(config).toMatchObject({
      id: "n1",
      http: "127.0.0.1:7401",
      grpc: "127.0.0.1:7601",
      resp: "127.0.0.1:7501",
      peer: "127.0.0.1:7701",
      partitions: 1024,
      durability: "fsync",
      insecure: false,
    });
  });

  it("the file yields to the environment, and that to flags", () => {
    const file = { id: "file", partitions: 8, timeoutMs: 1, logLevel: "warn" };
    const env = { COTERIE_PARTITIONS: "16", COTERIE_TIMEOUT_MS: "2", PATH: "/bin" };
    const config = loaded({ file, env, flags: { timeoutMs: "3", zone: undefined } });
    expect(config).toMatchObject({ id: "file", partitions: 16, timeoutMs: 3, logLevel: "warn" });
  });

  it("the command's own variables are no settings", () => {
    expect(loaded({ env: { COTERIE_NODES: "http://a" } }).id).toBe("n1");
  });

  it("texts of the environment become what they say", () => {
    const env = {
      COTERIE_MEMORY: "false",
      COTERIE_INSECURE: "true",
      COTERIE_BOOTSTRAP: "127.0.0.1:1,127.0.0.1:2",
      COTERIE_BUCKETS: '{"carts":{"n":1}}',
    };
    const config = loaded({ env });
    expect(config.memory).toBe(false);
    expect(config.insecure).toBe(true);
    expect(config.bootstrap).toEqual(["127.0.0.1:1", "127.0.0.1:2"]);
    expect(config.buckets["carts"]).toEqual({ n: 1 });
  });
});

describe("what is refused, and why", () => {
  const flags = (more: Readonly<Record<string, unknown>>): Parameters<typeof load>[0] => ({
    flags: { id: "n1", ...more },
  });

  it.each([
    ["no name", { flags: {} }, "id: give the node a name"],
    ["a name with a space", flags({ id: "n 1" }), "id: an id is 1 to 64"],
    ["a misspelt setting", flags({ partitons: 8 }), "did you mean partitions?"],
    ["a misspelt variable", { env: { COTERIE_LOGLEVEL: "info" } }, "did you mean logLevel?"],
    ["something else entirely", flags({ colour: "red" }), 'unknown setting "colour"'],
    ["a name that objects have", flags({ constructor: 1 }), 'unknown setting "constructor"'],
    ["no port", flags({ http: "127.0.0.1" }), "http: an address is HOST:PORT"],
    ["a port that is none", flags({ http: "127.0.0.1:70000" }), "http: no such port"],
    ["an open address", flags({ http: "192.168.1.1:7401" }), "--insecure"],
    ["an open peer door", flags({ peer: "10.0.0.1:7701" }), "--insecure"],
    ["all addresses", flags({ http: "0.0.0.0:7401" }), "--insecure"],
    ["an open gRPC door", flags({ grpc: "10.0.0.1:7601" }), "--insecure"],
    ["an open RESP door", flags({ resp: "10.0.0.1:7501" }), "--insecure"],
    ["a RESP address to nowhere", flags({ resp: "0.0.0.0:1", insecure: true }), "resp = 0.0.0.0:1"],
    ["a gRPC address to nowhere", flags({ grpc: "[::]:1", insecure: true }), "grpc = [::]:1"],
    [
      "two doors of another kind at one",
      flags({ grpc: "127.0.0.1:7401" }),
      "http and grpc are both",
    ],
    ["a peer address to nowhere", flags({ peer: "0.0.0.0:1", insecure: true }), "peer = 0.0.0.0:1"],
    ["two doors at one address", flags({ http: "127.0.0.1:1", peer: "127.0.0.1:1" }), "both"],
    ["a peer twice", flags({ bootstrap: "127.0.0.1:1,127.0.0.1:1" }), "twice"],
    ["a peer without a port", flags({ bootstrap: "127.0.0.1:0" }), "names no port"],
    ["a size in words", flags({ cacheBytes: "many" }), "cacheBytes: it takes a whole number"],
    ["a foreign variable", { env: { COTERIE_FOO: "1" } }, 'unknown setting "foo" (COTERIE_FOO)'],
    ["a negative size", flags({ cacheBytes: -1 }), "cacheBytes"],
    ["a fraction", flags({ partitions: 1.5 }), "partitions"],
    ["no partitions", flags({ partitions: 0 }), "partitions"],
    ["a flag that is neither", flags({ memory: "perhaps" }), "memory: it takes true or false"],
    ["a bucket's unknown setting", flags({ buckets: { a: { N: 1 } } }), "buckets.a"],
    ["a file that is no JSON", { file: "{" }, "cannot be read"],
    ["a file that is a list", { file: [] }, "holds no JSON object"],
    ["buckets that are no JSON", { env: { COTERIE_BUCKETS: "{" } }, "COTERIE_BUCKETS is not JSON"],
  ])("%s", (_, sources, message) => {
    expect(refusal(sources)).toContain(message);
  });

  it("once, though no part of it is right", () => {
    expect(refusal(flags({ http: "localhost" }))).toBe("http: an address is HOST:PORT");
  });

  it("a file that is not there", () => {
    const outcome = loadConfig({ file: join(directory, "none.json"), env: {}, flags: {} });
    expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining("none.json") });
  });
});

describe("the settings that a cluster shares", () => {
  const three = "127.0.0.1:7701,127.0.0.1:7702,127.0.0.1:7703";

  it("copies and majorities follow from the number of nodes", () => {
    const one = clusterSettingsOf(loaded({}));
    expect(one).toMatchObject({
      settings: { nMax: 1, buckets: [{ name: "default", n: 1, r: 1 }, {}] },
    });
    const settings = clusterSettingsOf(loaded({ flags: { id: "n1", bootstrap: three } }));
    expect(settings).toMatchObject({
      settings: { nMax: 3, buckets: [{ name: "default", n: 3, r: 2, w: 2 }, { name: "redis" }] },
    });
  });

  it("a bucket with quorums that do not overlap must say that it knows", () => {
    const flags = { id: "n1", bootstrap: three, buckets: { logs: { r: 1, w: 1 } } };
    expect(clusterSettingsOf(loaded({ flags }))).toMatchObject({
      ok: false,
      message: expect.stringContaining("allowStale"),
    });
    const stale = { ...flags, buckets: { logs: { r: 1, w: 1, allowStale: true } } };
    expect(clusterSettingsOf(loaded({ flags: stale }))).toMatchObject({ ok: true });
  });

  it("more copies than nodes are refused", () => {
    const flags = { id: "n1", buckets: { big: { n: 3 } } };
    expect(clusterSettingsOf(loaded({ flags }))).toMatchObject({ ok: false });
  });
});
