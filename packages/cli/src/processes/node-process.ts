import { spawn, type ChildProcess } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How a process ended. */
export interface NodeEnd {
  /** In words. */
  readonly how: string;
  readonly code: number | null;
  /** It said that to start it again is of no use: it is no member of its cluster any more. */
  readonly isGone: boolean;
}

const command = fileURLToPath(new URL("../../bin/coterie.js", import.meta.url));

/** One run of a node as a process of its own, which ends when this one does, however it ends. */
export class NodeProcess {
  readonly child: ChildProcess;
  /** Settles when the process has ended, or could not be started. */
  readonly ended: Promise<NodeEnd>;
  readonly #pidFile: string;
  #isStopping = false;
  #isGone = false;

  /** `words` are the arguments of `coterie`; `output` is where all that it prints goes. */
  constructor(words: readonly string[], pidFile: string, output: number | "inherit") {
    this.#pidFile = pidFile;
    // A group of its own: a Ctrl-C in the terminal reaches us alone, and we stop the nodes in
    // order. The IPC channel is the lifeline: it closes when we end, and the node drains.
    this.child = spawn(process.execPath, [...process.execArgv, command, ...words], {
      stdio: ["ignore", output, output, "ipc"],
      detached: true,
    });
    if (this.child.pid !== undefined) writeFileSync(pidFile, `${this.child.pid}\n`);
    this.child.on("message", (message) => {
      if ((message as { readonly kind?: unknown }).kind === "gone") this.#isGone = true;
    });
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) => resolve(this.#end(error.message, null)));
      this.child.once("exit", (code, signal) => {
        resolve(this.#end(signal ?? `exit code ${code}`, code));
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Ends the process as a power cut would; settles when it has ended. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** Has the node drain and end; settles when it has, killed at `timeoutMs` if need be. */
  async stop(timeoutMs: number): Promise<NodeEnd> {
    this.#isStopping = true;
    // No signal: where one was sent to all processes already, a second one would end it at once.
    if (this.child.connected) this.child.disconnect();
    this.child.kill("SIGCONT");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), timeoutMs);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  #end(how: string, code: number | null): NodeEnd {
    // A pid file that stays tells of an end that was not clean.
    if (this.#isStopping && how !== "SIGKILL") rmSync(this.#pidFile, { force: true });
    return { how, code, isGone: this.#isGone };
  }
}
