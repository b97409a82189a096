import type { CoterieNode, GetOutcome, WriteOutcome } from "@coterie/cluster";
import { type NodeId, type WriteId, hex, latin1, utf8 } from "@coterie/core";
import type { SimCluster } from "./cluster.ts";
import { type ClientOutcome, type ClientWrite, type FinalState, History } from "./history.ts";
import type { SeededRandom } from "./random.ts";

/** Within which a node refills a record that it has found damaged. */
const refillMs = 3000;

export interface WorkloadOptions {
  readonly clients: number;
  readonly operations: number;
  readonly keys: number;
  readonly bucket: string;
}

/** A context as a client holds it, and what the client had read when it got it. */
interface HeldContext {
  readonly text: string;
  readonly saw: readonly number[];
}

/** What one client remembers of a key. */
interface ClientMemory {
  readonly contexts: Map<string, HeldContext[]>;
}

/**
 * Clients that read, write with fresh, old and no contexts, delete and retry through any node;
 * everything they did and saw goes into a {@link History}.
 */
export class Workload {
  readonly history: History = new History();
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #options: WorkloadOptions;
  #issued = 0;

  constructor(cluster: SimCluster, options: WorkloadOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#random = cluster.world.random.fork("workload");
  }

  /** Runs all clients to their ends. */
  async run(): Promise<void> {
    const clients = Array.from({ length: this.#options.clients }, () => this.#client());
    for (const client of clients) await client;
  }

  /**
   * Reads every key from all replicas through `through`, which repairs what differs, and then each
   * replica's own copy.
   */
  async finalState(through: NodeId, n: number): Promise<readonly FinalState[]> {
    const final: { key: string; values: readonly number[]; copies: Map<string, string> }[] = [];
    for (let index = 0; index < this.#options.keys; index += 1) {
      const key = `key-${index}`;
      let outcome = await this.#readAll(through, key, n);
      // Damage that nobody had met is met by this read, and refilled after it.
      if (outcome?.ok === false) {
        await this.#sleep(refillMs);
        outcome = await this.#readAll(through, key, n);
      }
      if (outcome?.ok !== true) throw new Error(`final read of ${key}: ${outcome?.code}`);
      final.push({ key, values: numbersOf(outcome), copies: new Map() });
    }
    // A read at r = n answers once one replica holds the merged record; the others follow.
    await this.#sleep(2000);
    for (const { key, copies } of final) {
      for (const id of this.#cluster.ids) {
        const own = await this.#cluster.ask(id, (node) => node.readReplica(this.#place(key)));
        copies.set(id, own?.state === "present" ? own.digest : (own?.state ?? "gone"));
      }
    }
    return final;
  }

  #readAll(through: NodeId, key: string, n: number): Promise<GetOutcome | undefined> {
    return this.#cluster.ask(through, (node) =>
      node.get(this.#place(key), { r: n, timeoutMs: 10_000 }),
    );
  }

  async #client(): Promise<void> {
    const memory: ClientMemory = { contexts: new Map() };
    while (this.#issued < this.#options.operations) {
      this.#issued += 1;
      const key = `key-${this.#random.below(this.#options.keys)}`;
      const id = this.#pick(this.#cluster.ids);
      const dice = this.#random.below(100);
      if (dice < 35) await this.#read(memory, id, key);
      else if (dice < 88) await this.#put(memory, id, key);
      else await this.#delete(memory, id, key);
      await this.#pause();
    }
  }

  async #read(memory: ClientMemory, id: NodeId, key: string): Promise<void> {
    const invokedMs = this.#cluster.world.nowMs;
    const outcome = await this.#cluster.ask(id, (node) => node.get(this.#place(key), {}));
    if (outcome?.ok !== true) return;
    const values = numbersOf(outcome);
    this.history.reads.push({ key, values, invokedMs, settledMs: this.#cluster.world.nowMs });
    if (outcome.context !== undefined) this.#remember(memory, key, outcome.context, values);
  }

  async #put(memory: ClientMemory, id: NodeId, key: string): Promise<void> {
    const held = this.#chooseContext(memory, key);
    const write = this.#begin(key, "put", held?.saw ?? []);
    const writeId = this.#random.chance(500) ? (hex(this.#random.bytes(16)) as WriteId) : undefined;
    const send = (node: CoterieNode): Promise<WriteOutcome> =>
      node.put(
        this.#place(key),
        {
          value: utf8(String(write.number)),
          contentType: "",
          context: held?.text,
          writeId,
          returnBody: false,
          ifAbsent: false,
        },
        {},
      );
    let outcome = await this.#cluster.ask(id, send);
    // A client that does not know retries under the same id, through any node, perhaps later.
    for (let retry = 0; retry < 2 && writeId !== undefined; retry += 1) {
      if (outcome?.ok === true && !this.#random.chance(100)) break;
      await this.#pause();
      const again = await this.#cluster.ask(this.#pick(this.#cluster.ids), send);
      outcome = outcome?.ok === true ? outcome : (again ?? outcome);
    }
    this.#end(write, outcome, writeId !== undefined);
    if (outcome?.ok === true && outcome.context !== undefined) {
      this.#remember(memory, key, outcome.context, [write.number, ...write.saw]);
    }
  }

  async #delete(memory: ClientMemory, id: NodeId, key: string): Promise<void> {
    const held = this.#chooseContext(memory, key);
    if (held === undefined) return;
    const write = this.#begin(key, "delete", held.saw);
    const outcome = await this.#cluster.ask(id, (node) =>
      node.delete(this.#place(key), held.text, {}),
    );
    this.#end(write, outcome, false);
  }

  #begin(key: string, kind: "put" | "delete", saw: readonly number[]): ClientWrite {
    const write: ClientWrite = {
      number: this.history.writes.length,
      key,
      kind,
      saw,
      invokedMs: this.#cluster.world.nowMs,
      settledMs: Number.POSITIVE_INFINITY,
      outcome: "unknown",
    };
    this.history.writes.push(write);
    return write;
  }

  /** After retries a refusal says nothing of the attempts before it. */
  #end(write: ClientWrite, outcome: WriteOutcome | undefined, wasRetried: boolean): void {
    if (outcome === undefined) return;
    const verdict: ClientOutcome = outcome.ok ? "ok" : outcome.outcome;
    write.outcome = verdict === "refused" && wasRetried ? "unknown" : verdict;
    write.settledMs = this.#cluster.world.nowMs;
  }

  /** The newest context mostly; sometimes an old one, sometimes none. */
  #chooseContext(memory: ClientMemory, key: string): HeldContext | undefined {
    const held = memory.contexts.get(key) ?? [];
    if (held.length === 0 || this.#random.chance(150)) return undefined;
    return this.#random.chance(200) ? this.#pick(held) : held.at(-1);
  }

  #remember(memory: ClientMemory, key: string, text: string, saw: readonly number[]): void {
    const held = memory.contexts.get(key) ?? [];
    held.push({ text, saw });
    memory.contexts.set(key, held.slice(-5));
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }

  #place(key: string): { readonly bucket: string; readonly key: Uint8Array } {
    return { bucket: this.#options.bucket, key: utf8(key) };
  }

  #pause(): Promise<void> {
    return this.#sleep(this.#random.below(20));
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#cluster.world.schedule(ms, resolve);
    });
  }
}

function numbersOf(outcome: GetOutcome & { readonly ok: true }): readonly number[] {
  return outcome.siblings.map(({ value }) => Number(latin1(value)));
}
