import { readFileSync } from "node:fs";
import { isLoopback, isWildcard, portOf } from "./addresses.ts";
import { nearestName } from "./nearest-name.ts";
import { nodePlans } from "./node-plans.ts";
import { type ServerConfig, parseServerConfig, settings } from "./server-config.ts";
import { parseSettingsText } from "./settings-text.ts";

export interface ConfigSources {
  /** Path of a JSON file. */
  readonly file?: string | undefined;
  /** `COTERIE_*` variables count; others are ignored. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line gave, by the names of the settings; `undefined` was not given. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Where a setting's value comes from. */
export type SettingOrigin = "default" | "file" | "environment" | "flag";

/** Something that is wrong with a configuration. */
export interface ConfigProblem {
  /** The setting, as in `buckets.carts.n`; empty for the whole. */
  readonly setting: string;
  /** In the configuration file, if that is where it comes from. */
  readonly line: number | undefined;
  readonly message: string;
}

export type ConfigOutcome = {
  /** Of every setting that is not left to its default. */
  readonly origins: ReadonlyMap<string, SettingOrigin>;
} & (
  | { readonly ok: true; readonly config: ServerConfig }
  | {
      readonly ok: false;
      /** All problems in one line. */
      readonly message: string;
      readonly problems: readonly ConfigProblem[];
    }
);

/** Variables of the command, which are no settings of a node. */
const commandVariables = new Set(["COTERIE_NODES"]);

/** Reads a configuration: file < environment < flags. An unknown name is an error. */
export function loadConfig({ file, env, flags }: ConfigSources): ConfigOutcome {
  const given = new GivenSettings();
  const isReadable = file === undefined || given.readFile(file);
  given.readEnvironment(env);
  given.readFlags(flags);
  const { problems, origins, values } = given;
  const parsed = parseServerConfig(Object.fromEntries(values));
  if (!parsed.ok && isReadable) problems.push(...parsed.issues.map((each) => given.problem(each)));
  const misfit = parsed.ok ? misfitOf(parsed.config) : undefined;
  if (misfit !== undefined) problems.push(given.problem(misfit));
  if (parsed.ok && problems.length === 0) return { ok: true, config: parsed.config, origins };
  const message = problems.map((problem) => problem.message).join("; ");
  return { ok: false, message, problems, origins };
}

/** What the three sources give, the later over the earlier, and what is wrong with their form. */
class GivenSettings {
  readonly values = new Map<string, unknown>();
  readonly origins = new Map<string, SettingOrigin>();
  readonly problems: ConfigProblem[] = [];
  #lines: ReadonlyMap<string, number> = new Map();

  /** False if nothing of it could be read. */
  readFile(file: string): boolean {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      const why = (error as Error).message;
      return this.#complain("", `the configuration file ${file} cannot be read: ${why}`);
    }
    const parsed = parseSettingsText(text);
    if (!parsed.ok) {
      const { line, message } = parsed;
      const whole = `the configuration file ${file} cannot be read: line ${line}: ${message}`;
      this.problems.push({ setting: "", line, message: whole });
      return false;
    }
    const { value, lines } = parsed;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return this.#complain("", `the configuration file ${file} holds no JSON object`);
    }
    this.#lines = lines;
    for (const [name, each] of Object.entries(value)) this.#give(name, each, "file");
    return true;
  }

  /** `COTERIE_LOG_LEVEL=debug` is `logLevel: "debug"`; lists are separated by commas. */
  readEnvironment(env: ConfigSources["env"]): void {
    for (const [variable, value] of Object.entries(env)) {
      if (!variable.startsWith("COTERIE_") || value === undefined) continue;
      if (commandVariables.has(variable)) continue;
      const name = variable
        .slice("COTERIE_".length)
        .toLowerCase()
        .replaceAll(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase());
      this.#giveText(name, value, "environment", variable);
    }
  }

  readFlags(flags: ConfigSources["flags"]): void {
    for (const [name, value] of Object.entries(flags)) {
      if (value !== undefined) this.#giveText(name, value, "flag", `--${name}`);
    }
  }

  /** A problem with its place, if it is one of the file's. */
  problem({ setting, message }: Omit<ConfigProblem, "line">): ConfigProblem {
    const isFromFile = this.origins.get(setting.split(".")[0] ?? "") === "file";
    return { setting, line: isFromFile ? this.#lineOf(setting) : undefined, message };
  }

  /** The line of a setting, or else of what it stands in. */
  #lineOf(setting: string): number | undefined {
    const parent = setting.slice(0, Math.max(0, setting.lastIndexOf(".")));
    return this.#lines.get(setting) ?? (parent === "" ? undefined : this.#lineOf(parent));
  }

  #giveText(name: string, value: unknown, origin: SettingOrigin, place: string): void {
    const isJson = name === "buckets" && typeof value === "string";
    if (!isJson) return this.#give(name, value, origin, place);
    const parsed = parseSettingsText(value);
    if (parsed.ok) this.#give(name, parsed.value, origin, place);
    else this.#complain(name, `${place} is not JSON: ${parsed.message}`);
  }

  #give(name: string, value: unknown, origin: SettingOrigin, place: string = ""): void {
    this.origins.set(name, origin);
    const unknown = whyUnknown(name, place);
    if (unknown === undefined) this.values.set(name, value);
    else this.#complain(name, unknown);
  }

  #complain(setting: string, message: string): false {
    this.problems.push(this.problem({ setting, message }));
    return false;
  }
}

function whyUnknown(name: string, place: string): string | undefined {
  const known = settings.map((setting) => setting.name);
  if (known.includes(name)) return undefined;
  const near = nearestName(name, known);
  const source = place === "" ? "" : ` (${place})`;
  return `unknown setting "${name}"${source}${near === undefined ? "" : `; did you mean ${near}?`}`;
}

/** Two doors at one address; with port 0, the system gives each its own. */
function twinDoors(config: ServerConfig): Omit<ConfigProblem, "line"> | undefined {
  const seen = new Map<string, string>();
  for (const name of ["http", "grpc", "resp", "peer"] as const) {
    const address = config[name];
    const other = seen.get(address);
    if (other !== undefined) {
      return { setting: name, message: `${other} and ${name} are both ${address}` };
    }
    if (portOf(address) !== 0) seen.set(address, name);
  }
  return undefined;
}

/** With `auto` two stand for as many as there will be. */
function severalMisfit(config: ServerConfig): Omit<ConfigProblem, "line"> | undefined {
  if (config.processes === 1) return undefined;
  const planned = nodePlans(config, config.processes === "auto" ? 2 : config.processes);
  return planned.ok ? undefined : planned;
}

/** What no single setting is wrong in. */
function misfitOf(config: ServerConfig): Omit<ConfigProblem, "line"> | undefined {
  for (const name of ["http", "grpc", "resp", "peer"] as const) {
    if (config.insecure || isLoopback(config[name])) continue;
    // Loopback by default: anything else is open to whoever can reach it.
    const message =
      `${name} = ${config[name]} is not a loopback address, and this version has neither TLS ` +
      "nor authentication: whoever reaches it can read and write everything. Bind to " +
      "127.0.0.1, or accept that with --insecure";
    return { setting: name, message };
  }
  const { grpc, resp, peer, bootstrap } = config;
  if (isWildcard(peer)) {
    const message = `peer = ${peer} is no address at which other nodes find this one`;
    return { setting: "peer", message: `${message}; name one of its own` };
  }
  if (isWildcard(grpc)) {
    const message = `grpc = ${grpc} is no address at which clients find this node`;
    return { setting: "grpc", message: `${message}; name one of its own` };
  }
  if (isWildcard(resp)) {
    const message = `resp = ${resp} is no address at which Redis clients find this node`;
    return { setting: "resp", message: `${message}; name one of its own` };
  }
  const twins = twinDoors(config);
  if (twins !== undefined) return twins;
  const several = severalMisfit(config);
  if (several !== undefined) return several;
  const setting = "bootstrap";
  const portless = bootstrap.find((address) => portOf(address) === 0);
  if (portless !== undefined) return { setting, message: `bootstrap: ${portless} names no port` };
  const twice = bootstrap.find((address, at) => bootstrap.indexOf(address) !== at);
  if (twice === undefined) return undefined;
  return { setting, message: `bootstrap names ${twice} twice` };
}
