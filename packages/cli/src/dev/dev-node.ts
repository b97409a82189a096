import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { exchange, newAgent, type Reply } from "../http/exchange.ts";
import { NodeProcess } from "../processes/node-process.ts";
import type { DevDirectory } from "./dev-directory.ts";
import type { DevEndpoint } from "./endpoints-text.ts";

/**
 * ```text
 * starting ── ready to serve ──▶ ready ◀── revive ── paused
 *     │                            │ ── pause ─────────▲
 *     └──── process ended ──▶ dead ◀┘   (revive: starting)
 * ```
 */
type DevNodeState = "starting" | "ready" | "paused" | "dead";

/** A link by the address of the peer it leads to. */
export interface CutAddress {
  readonly address: string;
  readonly to: boolean;
  readonly from: boolean;
}

const POLL_MS = 25;
/** How long one question to a node may take. */
const ASK_MS = 1000;
/** A node that has not obeyed by then stands still, and obeys later. */
const OBEY_MS = 5000;

/** One node process of `coterie dev`: it lives as long as dev, unless it is killed before. */
export class DevNode {
  readonly endpoint: DevEndpoint;
  readonly #directory: DevDirectory;
  readonly #words: readonly string[];
  readonly #onDeath: (node: DevNode, how: string) => void;
  readonly #agent = newAgent();
  #process: NodeProcess | undefined;
  /** Continues the paused node if dev dies, so that it can notice and stop. */
  #guard: ChildProcess | undefined;
  #state: DevNodeState = "dead";
  #isStopping = false;
  #cutSerial = 0;

  /** `words` are the arguments of `coterie`; `onDeath` is called unless the node was stopped. */
  constructor(
    endpoint: DevEndpoint,
    directory: DevDirectory,
    words: readonly string[],
    onDeath: (node: DevNode, how: string) => void,
  ) {
    this.endpoint = endpoint;
    this.#directory = directory;
    this.#words = words;
    this.#onDeath = onDeath;
  }

  get id(): string {
    return this.endpoint.id;
  }

  isDead(): boolean {
    return this.#state === "dead";
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the process; its output goes to its log. */
  start(): void {
    this.#directory.makeNodeDirectory(this.id);
    const log = openSync(this.#directory.logFile(this.id), "a");
    const started = new NodeProcess(this.#words, this.#directory.pidFile(this.id), log);
    closeSync(log);
    this.#process = started;
    this.#state = "starting";
    void started.ended.then(({ how }) => this.#died(started, how));
  }

  /** Settles when the node serves (true), or when its process ended or time is over (false). */
  async untilReady(timeoutMs: number): Promise<boolean> {
    const started = this.#process;
    const endMs = performance.now() + timeoutMs;
    while (this.#process === started && this.#state !== "dead" && performance.now() < endMs) {
      if ((await this.#readiness()) === 200) {
        if (this.#state === "starting") this.#state = "ready";
        return true;
      }
      await sleep(POLL_MS);
    }
    return false;
  }

  /**
   * Settles when this node has a stream to the other one again, or when time is over: a node that
   * was away is ready before the others have noticed.
   */
  async untilReaches(other: DevNode, timeoutMs: number): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    while (this.#state === "ready" && performance.now() < endMs) {
      const reply = await this.#ask("/v1/cluster");
      if (reply?.status === 200) {
        const { members } = JSON.parse(reply.body.toString("utf8")) as {
          readonly members: readonly { readonly id: string; readonly isReachable: boolean }[];
        };
        if (members.some(({ id, isReachable }) => id === other.id && isReachable)) return;
      }
      await sleep(POLL_MS);
    }
  }

  /** Ends the process as a power cut would; settles when it has ended. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Stops the process where it stands; it goes on when revived. */
  pause(): void {
    const { pid } = this;
    if (pid === undefined || this.#state === "dead" || this.#state === "paused") return;
    this.#guard = spawn("/bin/sh", ["-c", 'read -r line; kill -CONT "$1"', "sh", String(pid)], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    // Without a shell there is no guard, and the pause works all the same.
    this.#guard.on("error", () => undefined);
    this.#process?.child.kill("SIGSTOP");
    this.#state = "paused";
  }

  /** Continues a paused node, or starts a dead one again. */
  revive(): void {
    if (this.#state === "dead") return this.start();
    this.#endGuard();
    this.#process?.child.kill("SIGCONT");
    if (this.#state === "paused") this.#state = "starting";
  }

  /** Tells the process which of its links are cut; settles when it obeys, or cannot. */
  async obeyCuts(links: readonly CutAddress[]): Promise<void> {
    const child = this.#process?.child;
    if (child === undefined || !child.connected) return;
    this.#cutSerial += 1;
    const serial = this.#cutSerial;
    // One that stands still reads it first of all when it goes on.
    const isAwaited = this.#state !== "paused";
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", settle);
        resolve();
      };
      const onMessage = (message: unknown): void => {
        if ((message as { readonly serial?: unknown }).serial === serial) settle();
      };
      const timer = setTimeout(settle, isAwaited ? OBEY_MS : 0);
      child.on("message", onMessage);
      child.once("exit", settle);
      child.send({ kind: "cut-links", serial, links }, () => undefined);
    });
  }

  /** Asks the node to drain and end; settles when it has, killed at `timeoutMs` if need be. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    const stopped = this.#process?.stop(timeoutMs);
    this.#endGuard();
    await stopped;
  }

  /** The last lines of the node's log. */
  logTail(): string {
    try {
      const log = readFileSync(this.#directory.logFile(this.id), "utf8");
      return log.trimEnd().split("\n").slice(-5).join("\n");
    } catch {
      return "";
    }
  }

  #died(ended: NodeProcess, how: string): void {
    if (this.#process !== ended) return;
    this.#process = undefined;
    this.#state = "dead";
    this.#endGuard();
    if (!this.#isStopping) this.#onDeath(this, how);
  }

  #endGuard(): void {
    this.#guard?.kill("SIGKILL");
    this.#guard = undefined;
  }

  async #readiness(): Promise<number> {
    return (await this.#ask("/readyz"))?.status ?? 0;
  }

  async #ask(path: string): Promise<Reply | undefined> {
    const node = new URL(`http://${this.endpoint.http}`);
    const result = await exchange(this.#agent, node, { method: "GET", path }, ASK_MS);
    return result.ok ? result.reply : undefined;
  }
}
