import { setTimeout as sleep } from "node:timers/promises";
import type { HttpAnswer } from "./http-client.ts";
import { KvClient, contextOf } from "./kv.ts";
import type { Ledger, Write, WriteFate } from "./ledger.ts";
import type { Endpoint } from "./real-cluster.ts";

const writersPerNode = 12;
const keysPerWriter = 12;
const valueBytes = 100;
const busyMsMax = 30_000;
const excusedPauseMs = 50;

/** What a writer knows of one of its keys: the context it has, and the writes that this covers. */
interface Knowledge {
  context: string | undefined;
  covers: readonly Write[];
}

/** A failed operation that was sent to a node that should have served it. */
export interface LoadFailure {
  readonly node: string;
  readonly operation: string;
  readonly status: number;
  readonly detail: string;
}

/**
 * Writers on every node, each with keys of its own and one operation at a time: puts with the
 * context of the last one, blind puts, reads and deletes. A node that is taken out of the load
 * gets no new operations; what fails on the others meanwhile is a failure.
 */
export class Load {
  readonly failures: LoadFailure[] = [];
  readonly #client = new KvClient();
  readonly #ledger: Ledger;
  readonly #name: string;
  readonly #writers: Promise<void>[] = [];
  #nodes: readonly Endpoint[] = [];
  readonly #out = new Set<string>();
  readonly #excused = new Set<string>();
  readonly #acknowledgedMs: number[] = [];
  #isStopping = false;
  #serial = 0;

  /** `name` tells the values of this load from those of another. */
  constructor(nodes: readonly Endpoint[], ledger: Ledger, name: string) {
    this.#ledger = ledger;
    this.#name = name;
    for (const node of nodes) this.join(node);
  }

  /** One more node, with writers of its own. */
  join(node: Endpoint): void {
    this.#nodes = [...this.#nodes, node];
    for (let at = 0; at < writersPerNode; at += 1) {
      this.#writers.push(this.#write(node, `${node.id}-w${at}`));
    }
  }

  /** A node that is no more; its writers go to the others from now on. */
  leave(id: string): void {
    this.#nodes = this.#nodes.filter((node) => node.id !== id);
  }

  /** No new operations to these nodes; what is in flight there may fail. */
  takeOut(...ids: readonly string[]): void {
    for (const id of ids) this.#out.add(id);
  }

  putBack(...ids: readonly string[]): void {
    for (const id of ids) this.#out.delete(id);
  }

  /** These nodes are asked as before, and may fail: nothing else can be expected of them. */
  excuse(...ids: readonly string[]): void {
    for (const id of ids) this.#excused.add(id);
  }

  /** From now on failures count; not of what was begun before. */
  hold(...ids: readonly string[]): void {
    for (const id of ids) this.#excused.delete(id);
  }

  /** Waits until so many more writes were acknowledged. */
  async untilAcknowledged(count: number): Promise<void> {
    const aimed = this.#ledger.acknowledged + count;
    const endMs = performance.now() + busyMsMax;
    while (this.#ledger.acknowledged < aimed) {
      if (performance.now() > endMs) throw new Error(`${count} writes take too long`);
      await sleep(10);
    }
  }

  /** Waits until so many writes were acknowledged within the last second. */
  async untilBusy(count: number): Promise<number> {
    const endMs = performance.now() + busyMsMax;
    for (;;) {
      const sinceMs = performance.now() - 1000;
      while ((this.#acknowledgedMs[0] ?? Infinity) < sinceMs) this.#acknowledgedMs.shift();
      const recent = this.#acknowledgedMs.length;
      if (recent >= count) return recent;
      if (performance.now() > endMs) throw new Error(`only ${recent} writes in a second`);
      await sleep(20);
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#writers);
    this.#client.close();
  }

  /** One writer's loop. While its own node is out, it goes to one of the others. */
  async #write(home: Endpoint, name: string): Promise<void> {
    const known = new Map<string, Knowledge>();
    for (let turn = 0; !this.#isStopping; turn += 1) {
      const key = `${name}-k${turn % keysPerWriter}`;
      const open = this.#nodes.filter(({ id }) => !this.#out.has(id));
      const node = open.find(({ id }) => id === home.id) ?? open[turn % open.length];
      if (node === undefined) {
        await sleep(20);
        continue;
      }
      const knowledge = known.get(key) ?? { context: undefined, covers: [] };
      known.set(key, knowledge);
      await this.#operate(node, key, knowledge, turn);
    }
  }

  async #operate(node: Endpoint, key: string, knowledge: Knowledge, turn: number): Promise<void> {
    const round = Math.floor(turn / keysPerWriter);
    const wasExcused = this.#excused.has(node.id);
    const isUnsure = knowledge.context === undefined && round > 0;
    if (isUnsure || round % 7 === 3) return this.#read(node, key, knowledge, wasExcused);
    const isDelete = round % 11 === 10 && knowledge.context !== undefined;
    const isBlind = round % 5 === 4;
    const covers = isBlind && !isDelete ? [] : knowledge.covers;
    const context = isBlind && !isDelete ? undefined : knowledge.context;
    this.#serial += 1;
    const value = isDelete
      ? undefined
      : `${key}:${this.#name}:${this.#serial}:`.padEnd(valueBytes, "x");
    const write = this.#ledger.begin(key, value, covers);
    const answer =
      value === undefined
        ? await this.#client.delete(node.http, key, context)
        : await this.#client.put(node.http, key, value, context);
    const fate = fateOf(answer);
    this.#ledger.settle(write, fate);
    if (fate === "acknowledged") this.#acknowledgedMs.push(performance.now());
    else await this.#fail(node, value === undefined ? "delete" : "put", answer, wasExcused);
    knowledge.context = contextOf(answer);
    knowledge.covers = knowledge.context === undefined ? [] : [write];
  }

  async #read(
    node: Endpoint,
    key: string,
    knowledge: Knowledge,
    wasExcused: boolean,
  ): Promise<void> {
    const { answer, values, context } = await this.#client.get(node.http, key);
    if (values === undefined) return this.#fail(node, "get", answer, wasExcused);
    knowledge.context = context;
    knowledge.covers = this.#ledger.find(key, values);
  }

  async #fail(
    node: Endpoint,
    operation: string,
    answer: HttpAnswer,
    wasExcused: boolean,
  ): Promise<void> {
    if (this.#out.has(node.id)) return;
    if (wasExcused || this.#excused.has(node.id)) {
      // What is refused at once is not asked again at once.
      await sleep(excusedPauseMs);
      return;
    }
    const detail = answer.error ?? answer.body.toString();
    this.failures.push({ node: node.id, operation, status: answer.status, detail });
  }
}

function fateOf({ status, headers, error }: HttpAnswer): WriteFate {
  if (status >= 200 && status < 300) return "acknowledged";
  const isRefused = error === "ECONNREFUSED" || headers["coterie-outcome"] === "refused";
  return isRefused ? "refused" : "unknown";
}
