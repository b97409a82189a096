import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type NodeId,
  type PeerAddress,
  defaultBuckets,
  encodeDocument,
  formDocument,
} from "@coterie/core";
import { saveBlob } from "@coterie/storage";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeDisk } from "../../src/adapters/node-disk.ts";
import { checkConfig } from "../../src/config/check-config.ts";
import { readClusterKey } from "../../src/config/cluster-key.ts";
import { configTemplate } from "../../src/config/config-template.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { flagOf, resolvedSettings, variableOf } from "../../src/config/resolved-settings.ts";
import { settings } from "../../src/config/server-config.ts";

let directory: string;
let file: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-config-tools-"));
  file = join(directory, "config.json");
});

afterAll(() => rmSync(directory, { recursive: true }));

async function problemsOf(
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  writeFileSync(file, text);
  const { problems } = await checkConfig({ file, env, flags: {} });
  return problems.map(({ line, setting, message }) => `${line ?? "-"} ${setting} ${message}`);
}

/** Makes a directory as a node of a cluster of its own leaves it. */
async function formIn(data: string): Promise<void> {
  mkdirSync(data);
  const member = {
    id: "n1" as NodeId,
    address: "127.0.0.1:7701" as PeerAddress,
    host: "h",
    zone: "z",
    weight: 1,
    nonce: "0".repeat(32),
  };
  const doors = { http: "", grpc: "", resp: "" };
  const settings8 = { partitions: 8, hash: "md5", nMax: 1, buckets: defaultBuckets(1) } as const;
  const formed = formDocument(settings8, [{ ...member, ...doors }]);
  if (!formed.ok) throw new Error(formed.message);
  const bytes = encodeDocument(formed.document);
  await new Promise((resolve) => {
    saveBlob(new NodeDisk(data), "cluster-document", bytes, resolve);
  });
}

describe("a check", () => {
  it("finds every problem at once, with lines, and suggests what was meant", async () => {
    const problems = await problemsOf(`{
      "id": "n1",
      "partitons": 8,
      "cacheBytes": -1,
      "buckets": {
        "carts": { "n": 1,
          "polcy": "lww" }
      }
    }`);
    expect(problems).toEqual([
      '3 partitons unknown setting "partitons"; did you mean partitions?',
      expect.stringMatching(/^4 cacheBytes cacheBytes: /u),
      expect.stringMatching(/^7 buckets\.carts\.polcy .*did you mean policy\?$/u),
    ]);
  });

  it("names no line for what the environment gives", async () => {
    const problems = await problemsOf('{ "id": "n1", "cacheBytes": 1 }', {
      COTERIE_CACHE_BYTES: "x",
    });
    expect(problems).toEqual([expect.stringMatching(/^- cacheBytes /u)]);
  });

  it("finds what only the whole shows: quorums, keys, addresses", async () => {
    const key = join(directory, "none.key");
    const problems = await problemsOf(
      JSON.stringify({ id: "n1", buckets: { a: { n: 3 } }, clusterKey: key }),
    );
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain("bucket a: n is an integer from 1 to 1");
    expect(problems[1]).toContain("none.key");
    expect(await problemsOf('{ "id": "n1",\n "http": "0.0.0.0:1" }')).toEqual([
      expect.stringMatching(/^2 http .*--insecure/u),
    ]);
  });

  it("lets one file serve many nodes, but not under a bad name", async () => {
    writeFileSync(file, "{}");
    const { problems, notes } = await checkConfig({ file, env: {}, flags: {} });
    expect(problems).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("--id")]);
    expect(await problemsOf('{ "id": 7 }')).toEqual([expect.stringMatching(/^1 id /u)]);
  });

  it("compares it with the cluster of its data directory", async () => {
    const data = join(directory, "data");
    const text = JSON.stringify({ id: "n1", data, partitions: 8 });
    writeFileSync(file, text);
    expect(await checkConfig({ file, env: {}, flags: {} })).toEqual({ problems: [], notes: [] });
    await formIn(data);
    const buckets = { carts: { policy: "lww" }, default: { pw: 1 } };
    writeFileSync(file, JSON.stringify({ id: "n1", data, partitions: 16, buckets }));
    const { problems, notes } = await checkConfig({ file, env: {}, flags: {} });
    expect(problems.map(({ message }) => message)).toEqual([
      "partitions is 8 in the cluster and 16 here",
    ]);
    expect(notes).toEqual([
      expect.stringContaining("coterie bucket create carts --policy lww --n 1"),
      expect.stringContaining("bucket default has pw 0 in the cluster and 1 here"),
    ]);
  });

  it("says nothing more of a file that cannot be read", async () => {
    expect(await problemsOf("{\n oops")).toEqual([expect.stringMatching(/^2 .*line 2/u)]);
  });
});

describe("the resolved settings", () => {
  it("name the origin of every value", () => {
    writeFileSync(file, '{ "id": "n1", "zone": "a", "host": "b" }');
    const env = { COTERIE_HOST: "c", COTERIE_TIMEOUT_MS: "5" };
    const loaded = loadConfig({ file, env, flags: { timeoutMs: 7, memory: true } });
    if (!loaded.ok) throw new Error(loaded.message);
    const resolved = resolvedSettings(loaded.config, loaded.origins);
    expect(resolved.map(({ name }) => name)).toEqual(settings.map(({ name }) => name));
    const shown = new Map(resolved.map(({ name, ...rest }) => [name, rest]));
    expect(shown.get("zone")).toEqual({ value: "a", origin: "file", source: "" });
    expect(shown.get("host")).toEqual({
      value: "c",
      origin: "environment",
      source: "COTERIE_HOST",
    });
    expect(shown.get("timeoutMs")).toEqual({ value: 7, origin: "flag", source: "--timeout-ms" });
    expect(shown.get("weight")).toEqual({ value: 1, origin: "default", source: "" });
  });

  it("show no key that was given in place of its file, nor does its refusal", () => {
    const key = "0123456789abcdef".repeat(4);
    const loaded = loadConfig({ env: { COTERIE_CLUSTER_KEY: key }, flags: { id: "n1" } });
    if (!loaded.ok) throw new Error(loaded.message);
    const text = JSON.stringify(resolvedSettings(loaded.config, loaded.origins));
    expect(text).not.toContain(key);
    expect(text).toContain('"********"');
    const refused = readClusterKey(key);
    expect(refused).toMatchObject({ ok: false, message: expect.stringContaining("the file") });
    expect(JSON.stringify(refused)).not.toContain(key);
  });

  it("variables and flags are named as they are read", () => {
    for (const { name, default: standard } of settings) {
      const text = name === "id" ? "n1" : JSON.stringify(standard ?? "k").replaceAll('"', "");
      const value = Array.isArray(standard) ? "127.0.0.1:1" : text;
      const loaded = loadConfig({
        env: { COTERIE_ID: "n1", [variableOf(name)]: value },
        flags: {},
      });
      expect(loaded).toMatchObject({ ok: true });
      expect([name, loaded.origins.get(name)]).toEqual([name, "environment"]);
    }
    expect(flagOf("inFlightBytes")).toBe("--in-flight-bytes");
  });
});

describe("the template", () => {
  it("is a configuration as it is, and with everything uncommented", async () => {
    const template = configTemplate();
    expect(await problemsOf(template)).toEqual([]);
    for (const { name, meaning } of settings) {
      expect(template).toContain(`// ${meaning}`);
      expect(template).toContain(`// "${name}": `);
    }
    // Only the file of the example is not there.
    expect(await problemsOf(template.replaceAll(/^ {2}\/\/ "/gmu, '"'))).toEqual([
      expect.stringContaining("the cluster key cannot be read"),
    ]);
  });
});
