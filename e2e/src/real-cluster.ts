import { mkdtempSync, readFileSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, coterie } from "./command.ts";

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
  readonly grpc: string;
  readonly resp: string;
  readonly peer: string;
}

/** A cluster of separate server processes with durable directories, started by `coterie dev`. */
export class RealCluster {
  readonly directory: string;
  readonly #dev: Command;
  #endpoints: readonly Endpoint[];

  private constructor(dev: Command, directory: string, endpoints: readonly Endpoint[]) {
    this.#dev = dev;
    this.directory = directory;
    this.#endpoints = endpoints;
  }

  static async start(options: RealClusterOptions = {}): Promise<RealCluster> {
    const directory =
      options.directory ?? mkdtempSync(join(options.parent ?? tmpdir(), "coterie-real-"));
    const words = ["dev", "--base-port", "0", "--data", directory, "--no-input"];
    const dev = new Command([...words, ...(options.arguments ?? [])]);
    try {
      return new RealCluster(dev, directory, await waitUntilReady(dev, directory));
    } catch (error) {
      await dev.stop();
      throw error;
    }
  }

  /** Of the nodes that the cluster has now. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
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

  /**
   * Ends the processes between two instructions, all in one go: nothing is flushed, nobody is
   * told. Settles when they are gone.
   */
  async kill(...ids: readonly string[]): Promise<void> {
    const pids = ids.map((id) => this.pidOf(id));
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await until(() => pids.every(isGone), "killed processes to end");
  }

  pause(id: string): void {
    process.kill(this.pidOf(id), "SIGSTOP");
  }

  resume(id: string): void {
    process.kill(this.pidOf(id), "SIGCONT");
  }

  /** Starts dead nodes again on their directories, as a user would, until they serve. */
  async revive(...ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#tellDev("revive", id)));
    await this.untilReady(...ids);
  }

  /** One more node, which is a member when this settles; what moves to it may be on its way. */
  async add(): Promise<Endpoint> {
    await this.#tellDev("add");
    this.#endpoints = readEndpoints(join(this.directory, "endpoints.json"));
    const added = this.#endpoints.at(-1);
    if (added === undefined) throw new Error("there is no node");
    return added;
  }

  /** A node leaves; settles when it is no member any more and its process has ended. */
  async remove(id: string): Promise<void> {
    await this.#tellDev("remove", id);
    this.forget(id);
  }

  /** A node is no member any more. */
  forget(id: string): void {
    this.#endpoints = this.#endpoints.filter((endpoint) => endpoint.id !== id);
  }

  /** The nodes that a restart of the cluster in a directory would start. */
  static idsIn(directory: string): readonly string[] {
    return readEndpoints(join(directory, "endpoints.json")).map(({ id }) => id);
  }

  /** Settles when nothing moves between nodes any more. */
  async untilQuiet(): Promise<void> {
    const { code, output } = await coterie("topology", "--wait", "--node", this.doors.join());
    if (code !== 0) throw new Error(output);
  }

  /**
   * Cuts the network: the first group of nodes off from all others, or groups off from each other;
   * one way, only what earlier groups send to later ones is lost.
   */
  async cut(
    groups: readonly (readonly string[])[],
    { isOneWay }: { readonly isOneWay: boolean } = { isOneWay: false },
  ): Promise<void> {
    const words = groups.map((ids) => ids.join(","));
    await this.#tellDev("cut", ...words, ...(isOneWay ? ["--one-way"] : []));
  }

  /** Makes all links whole; settles when nodes reach each other again. */
  async heal(): Promise<void> {
    await this.#tellDev("heal");
  }

  /** Settles when the node lacks nothing any more that it had lost. */
  async untilWhole(id: string): Promise<void> {
    const door = this.endpoints.find((endpoint) => endpoint.id === id)?.http ?? "";
    await until(async () => {
      const answer = await fetch(`http://${door}/metrics`);
      return (await answer.text()).includes("\ncoterie_refilling 0\n");
    }, `${id} to be whole`);
  }

  async untilReady(...ids: readonly string[]): Promise<void> {
    for (const { id, http } of this.endpoints.filter((endpoint) => ids.includes(endpoint.id))) {
      await until(() => isReady(http), `${id} to be ready`);
    }
  }

  /** The arguments of `coterie` that start one node of this cluster by itself. */
  startWords(id: string, at: Partial<Endpoint> = {}): readonly string[] {
    const endpoint = this.endpoints.find((candidate) => candidate.id === id);
    if (endpoint === undefined) throw new Error(`there is no node ${id}`);
    return this.newcomerWords(id, { ...endpoint, ...at });
  }

  /** The arguments of `coterie` that start a node which this cluster does not know. */
  newcomerWords(id: string, at: Omit<Endpoint, "id">): readonly string[] {
    const options: Readonly<Record<string, string>> = {
      "--id": id,
      "--data": join(this.directory, id),
      "--http": at.http,
      "--grpc": at.grpc,
      "--resp": at.resp,
      "--peer": at.peer,
      "--bootstrap": this.endpoints.map(({ peer }) => peer).join(","),
      "--cluster-key": join(this.directory, "cluster.key"),
      "--config": join(this.directory, "config.json"),
    };
    return ["start", ...Object.entries(options).flat()];
  }

  async #tellDev(...words: readonly string[]): Promise<void> {
    const { code, output } = await coterie("dev", ...words, "--data", this.directory);
    if (code !== 0) throw new Error(`coterie dev ${words.join(" ")}: ${output}`);
  }

  async stop(options: { readonly keepData: boolean } = { keepData: false }): Promise<void> {
    await this.#dev.stop();
    if (!options.keepData) rmSync(this.directory, { recursive: true, force: true });
  }
}

/** What `coterie dev` says once all nodes serve. */
const announcement = /\d nodes?, ready in /u;

async function waitUntilReady(dev: Command, directory: string): Promise<readonly Endpoint[]> {
  const file = join(directory, "endpoints.json");
  let endpoints: readonly Endpoint[] = [];
  await until(async () => {
    if (!dev.isRunning) throw new Error(`coterie dev ended at its start:\n${dev.output}`);
    // Before it says so itself, it takes a node that is killed for one that did not start.
    if (!announcement.test(dev.output) || !existsSync(file)) return false;
    endpoints = readEndpoints(file);
    const ready = await Promise.all(endpoints.map(({ http }) => isReady(http)));
    return endpoints.length > 0 && ready.every(Boolean);
  }, "the cluster to be ready");
  return endpoints;
}

function readEndpoints(file: string): readonly Endpoint[] {
  const { nodes } = JSON.parse(readFileSync(file, "utf8")) as { nodes: readonly Endpoint[] };
  return nodes.map((node) => ({ ...node, http: withoutScheme(node.http) }));
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

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
    await sleep(25);
  }
}

function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\//u, "").replace(/\/$/u, "");
}

function isGone(pid: number): boolean {
  try {
    // A killed process stays listed as a zombie until its parent has noticed.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.startsWith("Z") ?? true;
  } catch {
    return true;
  }
}
