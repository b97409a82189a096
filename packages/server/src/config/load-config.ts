import { readFileSync } from "node:fs";
import { isLoopback, isWildcard, portOf } from "./addresses.ts";
import { nearestName } from "./nearest-name.ts";
import {
  type ConfigOutcome,
  type ServerConfig,
  parseServerConfig,
  settings,
} from "./server-config.ts";

export interface ConfigSources {
  /** Path of a JSON file. */
  readonly file?: string | undefined;
  /** `COTERIE_*` variables count; others are ignored. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line gave, by the names of the settings; `undefined` was not given. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Variables of the command, which are no settings of a node. */
const commandVariables = new Set(["COTERIE_NODES"]);

/** Doors of the contract that are not built yet. */
const notYet = new Set(["resp", "grpc"]);

type Settings = Map<string, unknown>;

/** Reads a configuration: file < environment < flags. An unknown name is an error. */
export function loadConfig({ file, env, flags }: ConfigSources): ConfigOutcome {
  const merged: Settings = new Map();
  if (file !== undefined) {
    const problem = readFile(file, merged);
    if (problem !== undefined) return { ok: false, message: problem };
  }
  const problem = readEnvironment(env, merged);
  if (problem !== undefined) return { ok: false, message: problem };
  for (const [name, value] of Object.entries(flags)) {
    if (value !== undefined) merged.set(name, value);
  }
  const unknown = unknownName(merged);
  if (unknown !== undefined) return { ok: false, message: unknown };
  const parsed = parseServerConfig(Object.fromEntries(merged));
  if (!parsed.ok) return parsed;
  const misfit = misfitOf(parsed.config);
  return misfit === undefined ? parsed : { ok: false, message: misfit };
}

function readFile(file: string, into: Settings): string | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      return `the configuration file ${file} holds no JSON object`;
    }
    for (const [name, value] of Object.entries(parsed)) into.set(name, value);
    return undefined;
  } catch (error) {
    return `the configuration file ${file} cannot be read: ${(error as Error).message}`;
  }
}

/** `COTERIE_LOG_LEVEL=debug` is `logLevel: "debug"`; lists are separated by commas. */
function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  into: Settings,
): string | undefined {
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith("COTERIE_") || value === undefined) continue;
    if (commandVariables.has(variable)) continue;
    const name = variable
      .slice("COTERIE_".length)
      .toLowerCase()
      .replaceAll(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase());
    try {
      into.set(name, name === "buckets" ? JSON.parse(value) : value);
    } catch (error) {
      return `${variable} is not JSON: ${(error as Error).message}`;
    }
  }
  return undefined;
}

function unknownName(given: Settings): string | undefined {
  const known = settings.map(({ name }) => name);
  for (const name of given.keys()) {
    if (known.includes(name)) continue;
    if (notYet.has(name)) return `not-yet: the ${name} door is not built yet; leave ${name} out`;
    const near = nearestName(name, known);
    return `unknown setting "${name}"${near === undefined ? "" : `; did you mean ${near}?`}`;
  }
  return undefined;
}

/** What no single setting is wrong in. */
function misfitOf(config: ServerConfig): string | undefined {
  for (const name of ["http", "peer"] as const) {
    if (config.insecure || isLoopback(config[name])) continue;
    // Loopback by default: anything else is open to whoever can reach it.
    return (
      `${name} = ${config[name]} is not a loopback address, and this version has neither TLS ` +
      "nor authentication: whoever reaches it can read and write everything. Bind to " +
      "127.0.0.1, or accept that with --insecure"
    );
  }
  const { peer, http, bootstrap } = config;
  if (isWildcard(peer)) {
    return `peer = ${peer} is no address at which other nodes find this one; name one of its own`;
  }
  if (peer === http && portOf(peer) !== 0) return `http and peer are both ${peer}`;
  const portless = bootstrap.find((address) => portOf(address) === 0);
  if (portless !== undefined) return `bootstrap: ${portless} names no port`;
  const twice = bootstrap.find((address, at) => bootstrap.indexOf(address) !== at);
  return twice === undefined ? undefined : `bootstrap names ${twice} twice`;
}
