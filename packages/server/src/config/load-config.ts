import { readFileSync } from "node:fs";
import type { z } from "zod";
import { type ConfigOutcome, type ServerConfig, serverSchema } from "./server-config.ts";

export interface ConfigSources {
  /** Path of a JSON file. */
  readonly file?: string | undefined;
  /** `COTERIE_*` variables count; others are ignored. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line gave, by the names of the schema. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Variables of the command, which are no settings of a node. */
const commandVariables = new Set(["COTERIE_NODES"]);

/** Reads a configuration: file < environment < flags. An unknown name is an error. */
export function loadConfig({ file, env, flags }: ConfigSources): ConfigOutcome {
  const fromFile = file === undefined ? {} : readFile(file);
  if (typeof fromFile === "string") return { ok: false, message: fromFile };
  const merged = { ...fromFile, ...fromEnvironment(env), ...withoutUndefined(flags) };
  for (const name of Object.keys(merged)) {
    if (name in serverSchema.shape) continue;
    const near = nearest(name);
    const suggestion = near === undefined ? "" : `; did you mean ${near}?`;
    return { ok: false, message: `unknown setting "${name}"${suggestion}` };
  }
  const parsed = serverSchema.safeParse(merged);
  if (!parsed.success) return { ok: false, message: describe(parsed.error) };
  return checkAddresses(parsed.data);
}

function readFile(file: string): Record<string, unknown> | string {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      return { ...parsed };
    }
    return `the configuration file ${file} holds no JSON object`;
  } catch (error) {
    return `the configuration file ${file} cannot be read: ${(error as Error).message}`;
  }
}

/** `COTERIE_LOG_LEVEL=debug` is `logLevel: "debug"`; lists are separated by commas. */
function fromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith("COTERIE_") || value === undefined) continue;
    if (commandVariables.has(variable)) continue;
    const name = variable
      .slice("COTERIE_".length)
      .toLowerCase()
      .replaceAll(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase());
    if (name === "bootstrap") settings[name] = value.split(",").filter(Boolean);
    else if (name === "memory" || name === "insecure") settings[name] = value === "true";
    else if (name === "buckets") settings[name] = JSON.parse(value) as unknown;
    else settings[name] = value;
  }
  return settings;
}

function withoutUndefined(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}

function describe(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => `${path.join(".") || "configuration"}: ${message}`)
    .join("; ");
}

/** Loopback by default: anything else is open to whoever can reach it. */
function checkAddresses(config: ServerConfig): ConfigOutcome {
  for (const name of ["http", "peer"] as const) {
    if (config.insecure || isLoopback(config[name])) continue;
    return {
      ok: false,
      message:
        `${name} = ${config[name]} is not a loopback address, and this version has neither TLS ` +
        "nor authentication: whoever reaches it can read and write everything. Bind to " +
        "127.0.0.1, or accept that with --insecure",
    };
  }
  return { ok: true, config };
}

/** True if an address is only reachable from this machine. */
export function isLoopback(address: string): boolean {
  const host = hostOf(address);
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/u.test(host);
}

/** The host of HOST:PORT, without brackets. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replaceAll(/^\[|\]$/gu, "");
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** The setting whose name differs least from `name`, if it is near enough to be meant. */
function nearest(name: string): string | undefined {
  const ranked = Object.keys(serverSchema.shape)
    .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known.toLowerCase()) }))
    .toSorted((left, right) => left.distance - right.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= 3 ? best.known : undefined;
}

/** Levenshtein's distance. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const swap = (row[j - 1] as number) + Number(left[i - 1] !== right[j - 1]);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, swap));
    }
    row = next;
  }
  return row[right.length] as number;
}
