import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { builtFile } from "../built-file.ts";
import type { Figures, Order, OrderAnswer, Repaired, Shape } from "./orders.ts";

/** One of the two nodes, as the bench sees it. */
export class ReplicaProcess {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: OrderAnswer) => void>();
  #orders = 0;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.address = `127.0.0.1:${port}`;
    child.on("message", (answer: OrderAnswer) => {
      this.#waiting.get(answer.number)?.(answer);
      this.#waiting.delete(answer.number);
    });
    child.once("exit", (code) => {
      const error = `a node's process ended with ${code}`;
      for (const settle of this.#waiting.values()) settle({ number: 0, answer: undefined, error });
    });
  }

  static async open(id: string, directory: string, shape: Shape): Promise<ReplicaProcess> {
    mkdirSync(directory, { recursive: true });
    const words = [id, directory, JSON.stringify(shape)];
    const child = fork(builtFile("anti-entropy/replica-main.js"), words, { execArgv: [] });
    const ended = once(child, "exit").then(() => undefined);
    const listening = (await Promise.race([once(child, "message"), ended])) as [number] | undefined;
    if (listening === undefined) throw new Error(`the process of ${id} has ended`);
    return new ReplicaProcess(child, listening[0]);
  }

  async fill(keys: number): Promise<void> {
    await this.#order({ kind: "fill", keys });
  }

  async start(bootstrap: readonly string[]): Promise<void> {
    await this.#order({ kind: "start", bootstrap });
  }

  async stop(): Promise<void> {
    await this.#order({ kind: "stop" });
  }

  async overwrite(keys: number): Promise<void> {
    await this.#order({ kind: "overwrite", keys });
  }

  async repair(): Promise<Repaired> {
    return (await this.#order({ kind: "repair" })) as Repaired;
  }

  async figures(): Promise<Figures> {
    return (await this.#order({ kind: "figures" })) as Figures;
  }

  /** Ends the process. */
  close(): void {
    this.#child.disconnect();
  }

  #order(order: Order): Promise<unknown> {
    this.#orders += 1;
    const number = this.#orders;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, ({ answer, error }) => {
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
      this.#child.send({ number, order });
    });
  }
}
