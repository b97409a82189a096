import { type ChildProcess, fork } from "node:child_process";
import { builtFile } from "../built-file.ts";
import { answerOf, killed } from "../child-process.ts";
import type { Loaded, Opened, Task } from "./tasks.ts";

/** The processes that engines are measured in: one at a time, each for one task. */
export class EngineProcess {
  #child: ChildProcess | undefined;

  load(task: Extract<Task, { kind: "load" }>): Promise<Loaded> {
    return this.#do(task) as Promise<Loaded>;
  }

  open(task: Extract<Task, { kind: "open" }>): Promise<Opened> {
    return this.#do(task) as Promise<Opened>;
  }

  /** Kills the process, if there is one: what its store has not closed stays as it is. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined) await killed(child);
  }

  /** The answer of a new process, killed as soon as it has given it. */
  async #do(task: Task): Promise<unknown> {
    const child = fork(builtFile("engines/engine-main.js"));
    this.#child = child;
    try {
      child.send(task);
      return await answerOf(child, `the process of engine ${task.shape.engine}`);
    } finally {
      await this.kill();
    }
  }
}
