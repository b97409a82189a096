import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

function problemsOf(text: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  writeFileSync(file, text);
  return checkConfig({ file, env, flags: {} }).problems.map(
    ({ line, setting, message }) => `${line ?? "-"} ${setting} ${message}`,
  );
}

describe("a check", () => {
  it("finds every problem at once, with lines, and suggests what was meant", () => {
    const problems = problemsOf(`{
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

  it("names no line for what the environment gives", () => {
    const problems = problemsOf('{ "id": "n1", "cacheBytes": 1 }', { COTERIE_CACHE_BYTES: "x" });
    expect(problems).toEqual([expect.stringMatching(/^- cacheBytes /u)]);
  });

  it("finds what only the whole shows: quorums, keys, addresses", () => {
    const key = join(directory, "none.key");
    const problems = problemsOf(
      JSON.stringify({ id: "n1", buckets: { a: { n: 3 } }, clusterKey: key }),
    );
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain("bucket a: n is an integer from 1 to 1");
    expect(problems[1]).toContain("none.key");
    expect(problemsOf('{ "id": "n1",\n "http": "0.0.0.0:1" }')).toEqual([
      expect.stringMatching(/^2 http .*--insecure/u),
    ]);
  });

  it("lets one file serve many nodes, but not under a bad name", () => {
    writeFileSync(file, "{}");
    const { problems, notes } = checkConfig({ file, env: {}, flags: {} });
    expect(problems).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("--id")]);
    expect(problemsOf('{ "id": 7 }')).toEqual([expect.stringMatching(/^1 id /u)]);
  });

  it("says nothing more of a file that cannot be read", () => {
    expect(problemsOf("{\n oops")).toEqual([expect.stringMatching(/^2 .*line 2/u)]);
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
  it("is a configuration as it is, and with everything uncommented", () => {
    const template = configTemplate();
    expect(problemsOf(template)).toEqual([]);
    for (const { name, meaning } of settings) {
      expect(template).toContain(`// ${meaning}`);
      expect(template).toContain(`// "${name}": `);
    }
    // Only the file of the example is not there.
    expect(problemsOf(template.replaceAll(/^ {2}\/\/ "/gmu, '"'))).toEqual([
      expect.stringContaining("the cluster key cannot be read"),
    ]);
  });
});
