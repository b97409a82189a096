import { type NodeId, latin1 } from "@coterie/core";
import type { SeededRandom } from "./random.ts";
import type { BucketKnobs } from "./swarm-knobs.ts";
import type { Workload } from "./workload.ts";

/** How often one page is asked for, and how long the scanner waits in between. */
const attemptsMax = 8;
const retryMs = 250;

/**
 * Scans whole buckets, page by page: each page through any node, so that a cursor must mean the
 * same to all of them, and again through another one when it fails.
 */
export class Scanner {
  /** Pages that were asked for. */
  pages = 0;
  readonly #workload: Workload;
  readonly #random: SeededRandom;

  constructor(workload: Workload) {
    this.#workload = workload;
    this.#random = workload.cluster.world.random.fork("scans");
  }

  /** Scans as often as the knobs say, and rests in between. */
  async run(): Promise<void> {
    const { buckets, scans } = this.#workload.knobs;
    for (let scan = 0; scan < scans; scan += 1) {
      await this.#workload.sleep(this.#random.below(4000));
      await this.scan(buckets[this.#random.below(buckets.length)] as BucketKnobs);
    }
  }

  /** Scans a bucket; false if a page could not be had. */
  async scan(bucket: BucketKnobs): Promise<boolean> {
    const { world } = this.#workload.cluster;
    const invokedMs = world.nowMs;
    // Small pages end within partitions, and large ones hold a whole bucket.
    const limit = this.#random.chance(500) ? 1 + this.#random.below(8) : 1000;
    const keys: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#page(bucket, limit, cursor);
      if (page === undefined) return false;
      for (const key of page.keys) {
        // What looks whether the cluster works is no part of the history.
        if (this.#workload.isContended(`${bucket.name}/${key}`)) keys.push(`${bucket.name}/${key}`);
      }
      ({ cursor } = page);
    } while (cursor !== undefined);
    world.trace(`scan of ${bucket.name} returns ${keys.length} keys`);
    const { nowMs: settledMs } = world;
    this.#workload.history.scans.push({ bucket: bucket.name, keys, invokedMs, settledMs });
    return true;
  }

  async #page(
    { name }: BucketKnobs,
    limit: number,
    cursor: string | undefined,
  ): Promise<
    { readonly keys: readonly string[]; readonly cursor: string | undefined } | undefined
  > {
    const { ids, world } = this.#workload.cluster;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      if (attempt > 0) await this.#workload.sleep(retryMs);
      const id = ids[this.#random.below(ids.length)] as NodeId;
      this.pages += 1;
      world.trace(`scan of ${name} asks ${id} for ${limit} after ${cursor ?? "nothing"}`);
      const options = { limit, cursor, prefix: undefined, tombstones: false };
      const page = await this.#workload.ask(id, (node) => node.scan(name, options));
      if (page?.ok !== true) continue;
      return { keys: page.items.map(({ key }) => latin1(key)), cursor: page.cursor };
    }
    return undefined;
  }
}
