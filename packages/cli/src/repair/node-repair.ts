import { setTimeout as sleep } from "node:timers/promises";
import type { AntiEntropyView, RepairStarted, RepairView } from "../http/anti-entropy.ts";
import { jsonOf } from "../http/cluster.ts";
import type { Exchange } from "../http/exchange.ts";
import { reportedFailure } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";

const POLL_MS = 200;
/** A node that says nothing for so long is given up; what it does, it goes on doing. */
const SILENCE_MS = 10_000;

export interface NodeRepairParts {
  readonly pool: NodePool;
  readonly id: string;
  /** `host:port` of its HTTP door; empty if it has none. */
  readonly http: string;
  readonly partitions: readonly number[] | "all";
  readonly timeoutMs: number;
  readonly isInterrupted: () => boolean;
}

/** A repair at one node, from its start to its end. */
export class NodeRepair {
  readonly id: string;
  readonly #parts: NodeRepairParts;
  #repair: RepairView | undefined;
  #problem: string | undefined;

  constructor(parts: NodeRepairParts) {
    this.id = parts.id;
    this.#parts = parts;
  }

  /** As the node said last. */
  get repair(): RepairView | undefined {
    return this.#repair;
  }

  /** Why it is not known to be over. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Every copy of these partitions that this node could compare is equal to its own. */
  get isDone(): boolean {
    return this.#problem === undefined && this.#repair?.state === "done";
  }

  async run(): Promise<void> {
    const number = await this.#start();
    if (number !== undefined) await this.#follow(number);
  }

  async #start(): Promise<number | undefined> {
    const { http, partitions } = this.#parts;
    if (http === "") return this.#fail("it has no HTTP door");
    const body = Buffer.from(JSON.stringify({ partitions }));
    const headers = { "content-type": "application/json" };
    const answer = await this.#ask({ method: "POST", path: "/v1/repair", headers, body });
    if (!answer.ok) return this.#fail(answer.message);
    if (answer.reply.status !== 202) return this.#fail(reportedFailure(answer.reply).message);
    return (jsonOf("repair", answer.reply) as RepairStarted).number;
  }

  async #follow(number: number): Promise<void> {
    let heardMs = performance.now();
    for (;;) {
      const answer = await this.#ask({ method: "GET", path: "/v1/anti-entropy" });
      if (answer.ok && answer.reply.status === 200) {
        heardMs = performance.now();
        const { repair } = jsonOf("repair", answer.reply) as AntiEntropyView;
        if (repair?.number !== number) {
          this.#fail("it knows nothing of the repair any more: was it restarted?");
          return;
        }
        this.#repair = repair;
        if (repair.state !== "running") return;
      } else if (performance.now() - heardMs > SILENCE_MS) {
        this.#fail(answer.ok ? reportedFailure(answer.reply).message : answer.message);
        return;
      }
      if (this.#parts.isInterrupted()) {
        this.#fail("interrupted; the node goes on, and coterie status shows how far it is");
        return;
      }
      await sleep(POLL_MS);
    }
  }

  #ask(request: Exchange): ReturnType<NodePool["ask"]> {
    const { pool, http, timeoutMs } = this.#parts;
    return pool.ask(new URL(`http://${http}`), request, timeoutMs);
  }

  #fail(problem: string): undefined {
    this.#problem = problem;
  }
}
