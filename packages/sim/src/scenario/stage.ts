import type { AntiEntropySettings, HandoffSettings, ReapingSettings } from "@coterie/cluster";
import { type BucketSettings, type NodeId, type RequestMode, defaultBuckets } from "@coterie/core";
import { SimCluster } from "../cluster.ts";
import type { DiskImage } from "../disk.ts";
import { History } from "../history.ts";
import { type Turns, World } from "../world.ts";
import { ScenarioError } from "./arguments.ts";

/** A context under the name a script gave it, and the writes its holder had read. */
export interface NamedContext {
  readonly text: string | undefined;
  readonly saw: readonly number[];
}

export interface StageSettings {
  readonly nodes: number;
  readonly seed: number;
  readonly partitions: number;
  readonly handoff: HandoffSettings;
  readonly reaping: ReapingSettings;
  readonly antiEntropy: AntiEntropySettings;
  /** Of all buckets; `undefined` is the usual. */
  readonly n: number | undefined;
  readonly r: number | undefined;
  readonly w: number | undefined;
  readonly mode: RequestMode;
  /** From how many gets a second on a key is hot; `undefined` is the usual. */
  readonly hotReadsPerSecond: number | undefined;
}

/** Lines that a verb puts out. */
export type Lines = readonly string[];

/** What a script's verbs act upon: one cluster, and the names the script has given. */
export class Stage {
  readonly contexts: Map<string, NamedContext> = new Map();
  readonly images: Map<string, DiskImage> = new Map();
  /** What runs in the background, by label. */
  readonly pending: Map<string, Promise<Lines>> = new Map();
  /** What the script's clients did and saw, for the checkers. */
  readonly history: History = new History();
  /** The write that first put each value. */
  readonly writeOf: Map<string, number> = new Map();
  /** Buckets and keys that were used, as `bucket/key`. */
  readonly keys: Set<string> = new Set();
  replicas = 0;
  readonly drain: () => Promise<void>;
  readonly turns: Turns | undefined;
  #cluster: SimCluster | undefined;

  constructor(drain: () => Promise<void>, turns?: Turns) {
    this.drain = drain;
    this.turns = turns;
  }

  /** Starts the cluster of this script. */
  async begin(settings: StageSettings): Promise<void> {
    if (this.#cluster !== undefined) throw new ScenarioError("a script has one cluster");
    const world = new World({ seed: settings.seed, drain: this.drain, turns: this.turns });
    const buckets = defaultBuckets(settings.nodes).map((bucket) => quorumOf(bucket, settings));
    this.replicas = buckets[0]?.n ?? 0;
    const { nodes, partitions, handoff, antiEntropy, reaping } = settings;
    const { hotReadsPerSecond } = settings;
    const tuning = hotReadsPerSecond === undefined ? {} : { tuning: { hotReadsPerSecond } };
    const background = { handoff, antiEntropy, reaping, ...tuning };
    this.#cluster = new SimCluster(world, { nodes, partitions, buckets, ...background });
    await this.#cluster.start();
  }

  get cluster(): SimCluster {
    if (this.#cluster === undefined) throw new ScenarioError("a script begins with nodes");
    return this.#cluster;
  }

  get world(): World {
    return this.cluster.world;
  }

  node(name: string): NodeId {
    const id = this.cluster.ids.find((each) => each === name);
    if (id === undefined) throw new ScenarioError(`there is no node ${name}`);
    return id;
  }

  context(name: string): NamedContext & { readonly text: string } {
    const held = this.contexts.get(name);
    if (held?.text === undefined) throw new ScenarioError(`there is no context ${name}`);
    return { text: held.text, saw: held.saw };
  }

  /** Lets virtual time pass. */
  async advance(ms: number): Promise<void> {
    await this.world.run({ until: this.world.nowMs + ms });
  }
}

function quorumOf(bucket: BucketSettings, { n, r, w, mode }: StageSettings): BucketSettings {
  const quorum = { n: n ?? bucket.n, r: r ?? bucket.r, w: w ?? bucket.w };
  return { ...bucket, ...quorum, mode, allowStale: quorum.r + quorum.w <= quorum.n };
}
