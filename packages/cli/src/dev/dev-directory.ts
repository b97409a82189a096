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

/** Where one node of a dev cluster listens. */
export interface DevEndpoint {
  readonly id: string;
  readonly http: string;
  readonly grpc: string;
  readonly peer: string;
}

/** DIR/endpoints.json: what the cluster in a directory was made with. */
export interface DevEndpoints {
  readonly isMemory: boolean;
  readonly partitions: number;
  readonly n: number;
  readonly r: number;
  readonly w: number;
  readonly nodes: readonly DevEndpoint[];
}

/** DIR/dev.json: how to reach the `coterie dev` that runs in a directory. */
export interface DevControlAddress {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
}

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

  readEndpoints(): DevEndpoints | undefined {
    return this.#read("endpoints.json") as DevEndpoints | undefined;
  }

  writeEndpoints(endpoints: DevEndpoints): void {
    this.#write("endpoints.json", `${JSON.stringify(endpoints, null, 2)}\n`);
  }

  readControl(): DevControlAddress | undefined {
    return this.#read("dev.json") as DevControlAddress | undefined;
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

  #read(name: string): unknown {
    const file = join(this.path, name);
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
      throw new CliFailure(
        exitCodes.failure,
        `${file} cannot be read: ${(error as Error).message}`,
        "another directory with --data DIR, or --reset to begin anew and lose what is in this one",
      );
    }
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
