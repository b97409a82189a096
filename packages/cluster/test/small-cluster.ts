import type {
  CoterieNode,
  Explanation,
  GetOutcome,
  PutInput,
  ReplicaAnswer,
  RequestOptions,
  WriteOutcome,
} from "../src/index.ts";
import {
  type Key,
  type Lifetime,
  type Member,
  type NodeId,
  type PeerAddress,
  Ring,
  type WriteId,
  latin1,
  tokenOf,
  utf8,
} from "@coterie/core";
import { SimCluster, type SimClusterOptions, World } from "@coterie/sim";

/** Resolves when every continuation that is ready has run. */
function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function node(number: number): NodeId {
  return `n${number}` as NodeId;
}

export function address(number: number): PeerAddress {
  return `n${number}` as PeerAddress;
}

export interface Choices extends RequestOptions, Lifetime {
  readonly bucket?: string;
  readonly context?: string | undefined;
  readonly writeId?: WriteId;
  readonly ifAbsent?: boolean;
  readonly returnBody?: boolean;
}

/** A simulated cluster, and requests to it in few words. Nodes are named by their numbers. */
export class SmallCluster {
  readonly world: World;
  readonly cluster: SimCluster;

  constructor(options: Partial<SimClusterOptions> & { readonly seed?: number } = {}) {
    this.world = new World({ seed: options.seed ?? 1, drain });
    this.cluster = new SimCluster(this.world, { nodes: 3, ...options });
  }

  static async start(
    options: Partial<SimClusterOptions> & { readonly seed?: number } = {},
  ): Promise<SmallCluster> {
    const small = new SmallCluster(options);
    await small.cluster.start();
    return small;
  }

  async until<Answer>(story: Promise<Answer>): Promise<Answer> {
    return this.world.runUntilSettled(story);
  }

  /** Lets virtual time pass. */
  async pass(ms: number): Promise<void> {
    await this.world.run({ until: this.world.nowMs + ms });
  }

  at(number: number): CoterieNode {
    const found = this.cluster.node(node(number));
    if (found === undefined) throw new Error(`n${number} is down`);
    return found;
  }

  async get(at: number, key: string, choices: Choices = {}): Promise<GetOutcome> {
    return this.until(this.at(at).get(place(key, choices), choices));
  }

  put(
    at: number,
    key: string,
    value: string | Uint8Array,
    choices: Choices = {},
  ): Promise<WriteOutcome> {
    return this.until(this.begin(at, key, value, choices));
  }

  /** A put that nobody waits for yet. */
  begin(
    at: number,
    key: string,
    value: string | Uint8Array,
    choices: Choices = {},
  ): Promise<WriteOutcome> {
    const input: PutInput = {
      value: typeof value === "string" ? utf8(value) : value,
      contentType: "text/plain",
      context: choices.context,
      writeId: choices.writeId,
      returnBody: choices.returnBody ?? false,
      withoutContext: choices.withoutContext,
      ifAbsent: choices.ifAbsent ?? false,
      ttlMs: choices.ttlMs,
      expiresAtMs: choices.expiresAtMs,
    };
    return this.at(at).put(place(key, choices), input, choices);
  }

  async delete(at: number, key: string, choices: Choices = {}): Promise<WriteOutcome> {
    return this.until(this.at(at).delete(place(key, choices), choices.context, choices));
  }

  /** The values a read finds, in order; or the code with which it failed. */
  async read(at: number, key: string, choices: Choices = {}): Promise<readonly string[] | string> {
    const outcome = await this.get(at, key, choices);
    return outcome.ok
      ? outcome.siblings.map(({ value }) => latin1(value)).toSorted()
      : outcome.code;
  }

  /** One node's own copy: its values, or its state. */
  async own(at: number, key: string, choices: Choices = {}): Promise<readonly string[] | string> {
    const answer = await this.copy(at, key, choices);
    if (answer.state !== "present") return answer.state;
    return answer.siblings.map(({ value }) => latin1(value)).toSorted();
  }

  copy(at: number, key: string, choices: Choices = {}): Promise<ReplicaAnswer> {
    return this.until(this.at(at).readReplica(place(key, choices)));
  }

  /** The numbers of the nodes that own a key, and of those that do not. */
  owners(key: string): { readonly owners: readonly number[]; readonly others: readonly number[] } {
    const document = this.at(1).document();
    if (document === undefined) throw new Error("the cluster has not formed");
    const placed = place(key);
    const ring = new Ring(document);
    const { primaries, fallbacks } = ring.preferenceList(tokenOf(placed, document.settings), 3);
    const numbersOf = (members: readonly Member[]): readonly number[] =>
      members.map(({ id }) => Number(id.slice(1)));
    return { owners: numbersOf(primaries), others: numbersOf(fallbacks) };
  }

  explain(at: number, key: string, choices: Choices = {}): Promise<Explanation | undefined> {
    return this.until(this.at(at).explain(place(key, choices)));
  }

  crash(...numbers: readonly number[]): void {
    for (const number of numbers) this.cluster.crash(node(number));
  }

  /** Starts a node again and lets it settle down. */
  async restart(number: number): Promise<void> {
    const started = await this.until(this.cluster.startNode(node(number)));
    if (!started.ok) throw new Error(`n${number}: ${started.message}`);
  }

  /** Stops a node cleanly; its process then ends. */
  async stop(number: number): Promise<void> {
    await this.until(this.at(number).stop());
    this.cluster.crash(node(number), "kill");
  }
}

function place(key: string, { bucket = "default" }: Choices = {}): Key {
  return { bucket, key: utf8(key) };
}

/** A successful outcome; anything else fails the test with its reason. */
export function successful<Outcome extends { readonly ok: boolean }>(
  outcome: Outcome,
): Outcome & { readonly ok: true } {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  return outcome as Outcome & { readonly ok: true };
}
