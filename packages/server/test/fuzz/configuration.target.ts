import { deepStrictEqual, equal } from "node:assert/strict";
import { clusterSettingsOf } from "../../src/config/cluster-settings.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { parseServerConfig, settings } from "../../src/config/server-config.ts";

const encoder = new TextEncoder();

/** What flags, environment and files can say: JSON of `{ flags, env }`. */
export const seeds: readonly Uint8Array[] = [
  { flags: { id: "n1" } },
  { flags: { id: "n1", http: "127.0.0.1:0", bootstrap: "127.0.0.1:7701,127.0.0.1:7702" } },
  { flags: { id: "a", buckets: { carts: { n: 1, r: 1, w: 1, policy: "lww" } } } },
  { flags: { id: "n1", http: "[::1]:80", peer: "[::]:7701", insecure: "true" } },
  { flags: {}, env: { COTERIE_ID: "n1", COTERIE_BUCKETS: "{}", COTERIE_LOG_LEVEL: "debug" } },
].map((given) => encoder.encode(JSON.stringify(given)));

export const tokens: readonly string[] = [
  ...settings.map(({ name }) => `"${name}":`),
  '"__proto__":',
  '"constructor":',
  '"COTERIE_',
  "true",
  "null",
  "1e400",
  "-1",
  "[]",
  "{}",
  '"',
  ",",
  ":",
];

export function run(input: Uint8Array): void {
  const given = objectIn(input);
  if (given === undefined) return;
  const env = Object.fromEntries(
    Object.entries(objectOf(given["env"]) ?? {}).map(([name, value]) => [name, String(value)]),
  );
  const outcome = loadConfig({ env, flags: objectOf(given["flags"]) ?? {} });
  if (!outcome.ok) {
    equal(outcome.message.length > 0, true);
    return;
  }
  const again = parseServerConfig({ ...outcome.config });
  deepStrictEqual(again, { ok: true, config: outcome.config });
  clusterSettingsOf(outcome.config);
}

function objectIn(input: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(Buffer.from(input).toString("utf8")));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
}
