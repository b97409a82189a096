import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log, NodePlan } from "@coterie/server";
import { exitCodes, type ExitCode } from "../exit.ts";
import { NodeProcess, type NodeEnd } from "./node-process.ts";
import { restartDelay } from "./restart-delay.ts";

/** The file that names the process of the node in a directory. */
export function pidFileIn(directory: string): string {
  return join(directory, "coterie.pid");
}

/** What the nodes of a machine share. */
export interface Supervision {
  readonly log: Log;
  /** Nothing is started once it is aborted. */
  readonly stopping: AbortSignal;
  /** Makes a directory and those above it; throws the system's error. */
  readonly makeDirectory: (path: string) => void;
}

/** One of several nodes of a machine: a process that is started again whenever it ends. */
export class SupervisedNode {
  readonly #plan: NodePlan;
  readonly #words: readonly string[];
  readonly #log: Log;
  readonly #stopping: AbortSignal;
  readonly #makeDirectory: (path: string) => void;
  #process: NodeProcess | undefined;

  /** `words` are the arguments of `coterie` that start it. */
  constructor(
    plan: NodePlan,
    words: readonly string[],
    { log, stopping, makeDirectory }: Supervision,
  ) {
    this.#plan = plan;
    this.#words = words;
    this.#log = log;
    this.#stopping = stopping;
    this.#makeDirectory = makeDirectory;
  }

  /** Settles when the node has ended for good. */
  async run(): Promise<ExitCode> {
    let delayMs = 0;
    for (;;) {
      const startMs = performance.now();
      const end = await this.#runOnce();
      if (this.#stopping.aborted) return exitOf(end);
      if (end.isGone || end.code === exitCodes.usage) {
        this.#log.error({ event: "process-given-up", ...this.#facts(end) }, "it stays down");
        return exitOf(end);
      }
      delayMs = restartDelay(delayMs, performance.now() - startMs);
      const facts = { ...this.#facts(end), delayMs };
      this.#log.warn({ event: "process-ended", ...facts }, "it is started again");
      await sleep(delayMs, undefined, { signal: this.#stopping }).catch(() => undefined);
      if (this.#stopping.aborted) return exitCodes.ok;
    }
  }

  /** Has the node drain; settles when it has ended. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#process?.stop(timeoutMs);
  }

  /** Ends the process at once. */
  kill(): void {
    this.#process?.child.kill("SIGKILL");
  }

  async #runOnce(): Promise<NodeEnd> {
    const { id, data, http, peer } = this.#plan;
    this.#makeDirectory(data);
    this.#process = new NodeProcess(this.#words, pidFileIn(data), "inherit");
    const facts = { id, process: this.#process.pid, http, peer };
    this.#log.info({ event: "process-started", ...facts }, "a node was started");
    const end = await this.#process.ended;
    this.#process = undefined;
    return end;
  }

  #facts({ how }: NodeEnd): { readonly id: string; readonly how: string } {
    return { id: this.#plan.id, how };
  }
}

function exitOf({ code }: NodeEnd): ExitCode {
  return code === 0 ? exitCodes.ok : exitCodes.failure;
}
