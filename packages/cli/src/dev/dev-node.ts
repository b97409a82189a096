import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { exchange, newAgent, type Reply } from "../http/exchange.ts";
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
const command = fileURLToPath(new URL("../../bin/coterie.js", import.meta.url));

/** One node process of `coterie dev`: it lives as long as dev, unless it is killed before. */
export class DevNode {
  readonly endpoint: DevEndpoint;
  readonly #directory: DevDirectory;
  readonly #words: readonly string[];
  readonly #onDeath: (node: DevNode, how: string) => void;
  readonly #agent = newAgent();
  #child: ChildProcess | undefined;
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
    return this.#child?.pid;
  }

  /** Starts the process; its output goes to its log. */
  start(): void {
    this.#directory.makeNodeDirectory(this.id);
    const log = openSync(this.#directory.logFile(this.id), "a");
    // A group of its own: a Ctrl-C in the terminal reaches dev alone, which stops the nodes in
    // order. The IPC channel is the lifeline: it closes when dev ends, however it ends.
    const child = spawn(process.execPath, [command, ...this.#words], {
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#state = "starting";
    if (child.pid !== undefined) {
      writeFileSync(this.#directory.pidFile(this.id), `${child.pid}\n`);
    }
    child.once("error", (error) => this.#died(child, error.message));
    child.once("exit", (code, signal) => this.#died(child, signal ?? `exit code ${code}`));
  }

  /** Settles when the node serves (true), or when its process ended or time is over (false). */
  async untilReady(timeoutMs: number): Promise<boolean> {
    const child = this.#child;
    const endMs = performance.now() + timeoutMs;
    while (this.#child === child && this.#state !== "dead" && performance.now() < endMs) {
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
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await ended;
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
    this.#child?.kill("SIGSTOP");
    this.#state = "paused";
  }

  /** Continues a paused node, or starts a dead one again. */
  revive(): void {
    if (this.#state === "dead") return this.start();
    this.#endGuard();
    this.#child?.kill("SIGCONT");
    if (this.#state === "paused") this.#state = "starting";
  }

  /** Tells the process which of its links are cut; settles when it obeys, or cannot. */
  async obeyCuts(links: readonly CutAddress[]): Promise<void> {
    const child = this.#child;
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
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    this.#endGuard();
    child.kill("SIGCONT");
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    await ended;
    clearTimeout(timer);
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

  #died(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#state = "dead";
    this.#endGuard();
    if (!this.#isStopping) return this.#onDeath(this, how);
    // A pid file that stays tells of an end that was not clean.
    if (how !== "SIGKILL") rmSync(this.#directory.pidFile(this.id), { force: true });
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
