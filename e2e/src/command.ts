import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(import.meta.resolve("coterie/bin/coterie.js"));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for messages. */
  readonly output: string;
}

/** A running `coterie`, with what it has printed so far. */
export class Command {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandResult>;
  #stdout = "";
  #stderr = "";

  /** @param within a command that becomes the one in its arguments, such as `nice`. */
  constructor(words: readonly string[], within: readonly string[] = []) {
    const [program = "", ...rest] = [...within, process.execPath, bin, ...words];
    this.child = spawn(program, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.ended = new Promise((resolve) =>
      this.child.once("close", (code) =>
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr, output: this.output }),
      ),
    );
  }

  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Asks it to stop, and kills it when it does not within `graceMs`. */
  async stop(graceMs: number = 10_000): Promise<CommandResult> {
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), graceMs);
    const result = await this.ended;
    clearTimeout(timer);
    return result;
  }
}

/** Runs `coterie` to its end. */
export function coterie(...words: readonly string[]): Promise<CommandResult> {
  return new Command(words).ended;
}
