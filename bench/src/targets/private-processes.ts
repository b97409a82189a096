import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const host = "127.0.0.1";
/** Below the range from which systems take the local ports of outgoing connections. */
const firstPort = 15_000;
const lastPort = 32_000;
const patienceMs = 20_000;
const graceMs = 5000;

/** Different ports that nothing listens on. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(firstPort, lastPort);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Servers of another store, each in a directory of its own, until they are stopped. */
export class PrivateProcesses {
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];
  readonly #outputs: string[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  get pids(): readonly number[] {
    return this.#children.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** A new directory for the data of one server. */
  directoryOf(name: string): string {
    const directory = join(this.#directory, name);
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  /** Starts a server. What it prints goes to a file beside its data. */
  start(name: string, program: string, words: readonly string[]): void {
    const directory = this.directoryOf(name);
    const file = join(directory, "output.log");
    this.#outputs.push(file);
    const output = openSync(file, "a");
    const child = spawn(program, words, {
      cwd: directory,
      stdio: ["ignore", output, output],
      env: { PATH: process.env["PATH"] ?? "", HOME: directory },
    });
    closeSync(output);
    // Whatever ends the bench, its servers end with it.
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    this.#children.push(child);
  }

  /** Until `condition` holds; fails, with what a server printed, when one ends or time does. */
  async until(condition: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!(await condition().catch(() => false))) {
      const hasEnded = this.#children.some(({ exitCode }) => exitCode !== null);
      if (hasEnded || Date.now() > deadline) {
        throw new Error(`waited in vain for ${what}:\n${this.#lastWords()}`);
      }
      await sleep(50);
    }
  }

  async stop(): Promise<void> {
    const living = this.#children.filter(({ exitCode, signalCode }) => {
      return exitCode === null && signalCode === null;
    });
    const ends = living.map((child) => once(child, "exit"));
    for (const child of living) child.kill("SIGTERM");
    const timer = setTimeout(() => {
      for (const child of living) child.kill("SIGKILL");
    }, graceMs);
    await Promise.all(ends);
    clearTimeout(timer);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #lastWords(): string {
    return this.#outputs.map((file) => readFileSync(file, "utf8").slice(-1000)).join("\n");
  }
}
