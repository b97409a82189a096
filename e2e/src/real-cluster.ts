import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(import.meta.resolve("coterie/bin/coterie.js"));

/** How long a start or a restart may take, in milliseconds: generous, for loaded machines. */
const patienceMs = 60_000;

export interface RealClusterOptions {
  /** Data of an earlier cluster; a new directory if left out. */
  readonly directory?: string;
  /** Where a new directory is made; the system's temporary folder if left out. */
  readonly parent?: string;
  /** Further arguments of `coterie dev`. */
  readonly arguments?: readonly string[];
}

export interface Endpoint {
  readonly id: string;
  /** `host:port`. */
  readonly http: string;
  readonly peer: string;
}

/** A cluster of separate server processes with durable directories, started by `coterie dev`. */
export class RealCluster {
  readonly directory: string;
  readonly endpoints: readonly Endpoint[];
  readonly #dev: ChildProcess;

  private constructor(dev: ChildProcess, directory: string, endpoints: readonly Endpoint[]) {
    this.#dev = dev;
    this.directory = directory;
    this.endpoints = endpoints;
  }

  static async start(options: RealClusterOptions = {}): Promise<RealCluster> {
    const directory =
      options.directory ?? mkdtempSync(join(options.parent ?? tmpdir(), "coterie-real-"));
    const dev = spawn(
      process.execPath,
      [command, "dev", "--base-port", "0", "--data", directory, "--no-input"].concat(
        options.arguments ?? [],
      ),
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let output = "";
    for (const stream of [dev.stdout, dev.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const endpoints = await waitUntilReady(dev, directory, () => output);
    return new RealCluster(dev, directory, endpoints);
  }

  /** `host:port` of every node's HTTP door. */
  get doors(): readonly string[] {
    return this.endpoints.map(({ http }) => http);
  }

  get pids(): readonly number[] {
    return this.endpoints.map(({ id }) => this.pidOf(id));
  }

  pidOf(id: string): number {
    return Number(readFileSync(join(this.directory, id, "coterie.pid"), "utf8"));
  }

  /** The process ends between two instructions: nothing is flushed, nobody is told. */
  kill(id: string): void {
    process.kill(this.pidOf(id), "SIGKILL");
  }

  pause(id: string): void {
    process.kill(this.pidOf(id), "SIGSTOP");
  }

  resume(id: string): void {
    process.kill(this.pidOf(id), "SIGCONT");
  }

  /** Starts a dead node again on its directory, as a user would, and waits until it serves. */
  async revive(id: string): Promise<void> {
    const revived = spawnSync(
      process.execPath,
      [command, "dev", "revive", id, "--data", this.directory],
      { encoding: "utf8" },
    );
    if (revived.status !== 0) throw new Error(`revive ${id}: ${revived.stderr}`);
    const door = this.endpoints.find((endpoint) => endpoint.id === id)?.http as string;
    await until(() => isReady(door), `${id} to be ready again`);
  }

  async stop(options: { readonly keepData: boolean } = { keepData: false }): Promise<void> {
    if (this.#dev.exitCode === null && this.#dev.signalCode === null) {
      const exited = new Promise<void>((resolve) => {
        this.#dev.once("exit", () => resolve());
      });
      this.#dev.kill("SIGTERM");
      await exited;
    }
    if (!options.keepData) rmSync(this.directory, { recursive: true, force: true });
  }
}

async function waitUntilReady(
  dev: ChildProcess,
  directory: string,
  output: () => string,
): Promise<readonly Endpoint[]> {
  const file = join(directory, "endpoints.json");
  let endpoints: readonly Endpoint[] = [];
  await until(async () => {
    if (dev.exitCode !== null) throw new Error(`coterie dev ended at its start:\n${output()}`);
    if (!existsSync(file)) return false;
    endpoints = readEndpoints(file);
    const ready = await Promise.all(endpoints.map(({ http }) => isReady(http)));
    return endpoints.length > 0 && ready.every(Boolean);
  }, "the cluster to be ready");
  return endpoints;
}

function readEndpoints(file: string): readonly Endpoint[] {
  const { nodes } = JSON.parse(readFileSync(file, "utf8")) as { nodes: readonly Endpoint[] };
  return nodes.map(({ id, http, peer }) => ({ id, http: withoutScheme(http), peer }));
}

async function isReady(door: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${door}/readyz`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
    await sleep(25);
  }
}

function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\//u, "").replace(/\/$/u, "");
}
