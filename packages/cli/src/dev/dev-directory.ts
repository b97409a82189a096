import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { CliFailure, exitCodes } from "../exit.ts";
import { type DevControlAddress, parseControlAddress } from "./control-address.ts";
import { type DevEndpoints, parseEndpoints } from "./endpoints-text.ts";

/** The files of a `coterie dev` cluster. */
export class DevDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  nodeDirectory(id: string): string {
    return join(this.path, id);
  }

  logFile(id: string): string {
    return join(this.path, id, "coterie.log");
  }

  pidFile(id: string): string {
    return join(this.path, id, "coterie.pid");
  }

  get clusterKeyFile(): string {
    return join(this.path, "cluster.key");
  }

  get configFile(): string {
    return join(this.path, "config.json");
  }

  /** Removes what `coterie dev` put there, and nothing else. */
  reset(): void {
    if (!existsSync(this.path)) return;
    for (const name of readdirSync(this.path)) {
      if (/^n\d+$/u.test(name) || OWN_FILES.includes(name)) {
        rmSync(join(this.path, name), { recursive: true, force: true });
      }
    }
  }

  makeNodeDirectory(id: string): void {
    // Everybody's data is in it: for this user only.
    mkdirSync(this.nodeDirectory(id), { recursive: true, mode: 0o700 });
  }

  /** Removes what a node that is no member any more has left. */
  removeNodeDirectory(id: string): void {
    rmSync(this.nodeDirectory(id), { recursive: true, force: true });
  }

  readEndpoints(): DevEndpoints | undefined {
    return this.#read("endpoints.json", parseEndpoints);
  }

  writeEndpoints(endpoints: DevEndpoints): void {
    this.#write("endpoints.json", `${JSON.stringify(endpoints, null, 2)}\n`);
  }

  readControl(): DevControlAddress | undefined {
    return this.#read("dev.json", parseControlAddress);
  }

  writeControl(address: DevControlAddress): void {
    this.#write("dev.json", `${JSON.stringify(address)}\n`, 0o600);
  }

  removeControl(): void {
    rmSync(join(this.path, "dev.json"), { force: true });
  }

  writeConfig(config: unknown): void {
    this.#write("config.json", `${JSON.stringify(config, null, 2)}\n`);
  }

  #read<Value>(name: string, parse: (text: string) => Value | undefined): Value | undefined {
    const file = join(this.path, name);
    if (!existsSync(file)) return undefined;
    let why = "it is not what `coterie dev` writes there";
    try {
      const value = parse(readFileSync(file, "utf8"));
      if (value !== undefined) return value;
    } catch (error) {
      why = (error as Error).message;
    }
    throw new CliFailure(
      exitCodes.failure,
      `${file} cannot be read: ${why}`,
      "another directory with --data DIR, or --reset to begin anew and lose what is in this one",
    );
  }

  #write(name: string, text: string, mode: number = 0o644): void {
    mkdirSync(this.path, { recursive: true });
    const file = join(this.path, name);
    writeFileSync(`${file}.tmp`, text, { mode });
    chmodSync(`${file}.tmp`, mode);
    renameSync(`${file}.tmp`, file);
  }
}

const OWN_FILES = ["endpoints.json", "dev.json", "cluster.key", "config.json"];
