import { type NodeId, Ring, utf8 } from "@coterie/core";
import type { Health } from "./faults/health.ts";
import type { SeededRandom } from "./random.ts";
import type { BucketKnobs } from "./swarm-knobs.ts";
import type { Workload } from "./workload.ts";

/**
 * Within which a node knows that another one answers again, of which nobody wanted anything: a ping
 * that was lost is given up after 0.7 s, and the next one goes out a second later.
 */
const noticeMs = 2000;
/** How often it is looked whether all is still well. */
const lookMs = 10;
const restMsMax = 800;
/**
 * Within which a read answers: once others are silent for some tens of milliseconds it asks one
 * more. Where all is as it should be hardly one takes more than some 250; with slow nodes and cuts
 * that had just been mended, three in 2200 seeds took up to 580.
 */
const readMsMax = 800;

/**
 * Puts and gets keys of its own while things go wrong, wherever a quorum of the key's replicas is
 * well and reachable. What fails there all the same is noted.
 */
export class Prober {
  /** What failed although it could not. */
  readonly stalled: string[] = [];
  /** Operations that had to succeed, and how many were asked for. */
  judged = 0;
  operations = 0;
  readonly #workload: Workload;
  readonly #health: Health;
  readonly #random: SeededRandom;
  #isOver = false;

  constructor(workload: Workload, health: Health) {
    this.#workload = workload;
    this.#health = health;
    this.#random = workload.cluster.world.random.fork("progress");
  }

  async run(): Promise<void> {
    // Where messages get lost, an operation may fail without anything being wrong with nodes.
    const { weather, faults, topology } = this.#workload.knobs;
    if (weather.lost > 0 || weather.late > 0) return;
    // Nor where owners come and go: who owns a key may be another one when it is asked.
    if (topology !== undefined) return;
    // In an `lww` bucket a node refuses what a clock far ahead of its own has written.
    const buckets = this.#workload.knobs.buckets.filter(
      ({ policy }) => policy !== "lww" || faults["clock-jump"] === undefined,
    );
    if (buckets.length === 0) return;
    for (let probe = 0; !this.#isOver; probe += 1) {
      await this.#workload.sleep(this.#random.below(restMsMax));
      const bucket = buckets[this.#random.below(buckets.length)] as BucketKnobs;
      await this.#probe(bucket, `progress-${probe}`);
    }
  }

  end(): void {
    this.#isOver = true;
  }

  async #probe(bucket: BucketKnobs, name: string): Promise<void> {
    const key = { bucket: bucket.name, key: utf8(name) };
    const input = { value: utf8(name), contentType: "", context: undefined, writeId: undefined };
    await this.#demand(bucket, name, "put", (id) =>
      this.#workload.ask(id, (node) =>
        node.put(key, { ...input, returnBody: false, ifAbsent: false }, {}),
      ),
    );
    await this.#demand(bucket, name, "get", (id) =>
      this.#workload.ask(id, (node) => node.get(key, {})),
    );
  }

  /** Demands that the operation succeeds, unless something went wrong meanwhile. */
  async #demand(
    bucket: BucketKnobs,
    name: string,
    what: string,
    operation: (id: NodeId) => Promise<Outcome | undefined>,
  ): Promise<void> {
    const { cluster } = this.#workload;
    const id = cluster.ids[this.#random.below(cluster.ids.length)] as NodeId;
    const document = cluster.node(id)?.document();
    if (this.#isOver || document === undefined) return;
    const ring = new Ring(document);
    const settings = ring.bucket(bucket.name);
    if (settings === undefined) return;
    const key = { bucket: bucket.name, key: utf8(name) };
    const owners = ring.plan(key, settings).primaries.map((owner) => owner.id);
    const required = what === "put" ? bucket.w : bucket.r;
    const isWell = (): boolean => !this.#isOver && this.#health.isWell(id, owners, required);
    if (!isWell()) return;
    const codes: string[] = [];
    // What was under way when all became well may spoil the first attempt; nothing spoils that of a
    // write that is passed on a while later: whoever of the owners has died, another one takes it.
    const isPassedOn = what === "put" && !owners.includes(id);
    if (isPassedOn && !(await this.#isSteady(id, owners))) return;
    const pauses = isPassedOn ? [0] : [0, noticeMs];
    const state = this.#health.state(id, owners);
    const isUndisturbed = (): boolean => isWell() && this.#health.state(id, owners) === state;
    for (const pauseMs of pauses) {
      const watched = new Watch(this.#workload, isUndisturbed);
      if (pauseMs > 0) await this.#workload.sleep(pauseMs);
      if (!watched.holds) return;
      this.operations += 1;
      cluster.world.trace(`progress: ${what} of ${key.bucket}/${name} asks ${id}`);
      const askedMs = cluster.world.nowMs;
      const outcome = await operation(id);
      if (!watched.end()) return;
      if (outcome?.ok !== true) {
        codes.push(outcome?.code ?? "no answer");
        continue;
      }
      const tookMs = Math.round(cluster.world.nowMs - askedMs);
      if (what === "get" && tookMs > readMsMax) {
        codes.push(`an answer after ${tookMs} ms`);
        break;
      }
      this.judged += 1;
      return;
    }
    this.judged += 1;
    const failed = `${what} of ${key.bucket}/${name} through ${id}: ${codes.join(", then ")}`;
    cluster.world.trace(`progress: ${failed}`);
    this.stalled.push(`${failed}, though a quorum of ${owners.join(", ")} was well`);
  }

  /**
   * True if all that are well have been so for long enough for others to know it, up to now.
   * Whoever is not may have died just now.
   */
  async #isSteady(door: NodeId, owners: readonly NodeId[]): Promise<boolean> {
    const { breaks } = this.#health;
    let before = this.#health.wellLives(door, owners);
    const watched = new Watch(this.#workload, () => {
      const now = this.#health.wellLives(door, owners);
      const hasNew = [...now].some((life) => !before.has(life));
      before = now;
      return this.#health.breaks === breaks && !hasNew;
    });
    await this.#workload.sleep(noticeMs);
    return watched.end();
  }
}

interface Outcome {
  readonly ok: boolean;
  readonly code?: string;
}

/** Looks again and again whether something holds. */
class Watch {
  readonly #workload: Workload;
  readonly #holds: () => boolean;
  #hasHeld = true;
  #isOver = false;

  constructor(workload: Workload, holds: () => boolean) {
    this.#workload = workload;
    this.#holds = holds;
    this.#look();
  }

  get holds(): boolean {
    return this.#hasHeld;
  }

  /** True if it held all the time. */
  end(): boolean {
    this.#look();
    this.#isOver = true;
    return this.#hasHeld;
  }

  #look(): void {
    if (this.#isOver || !this.#hasHeld) return;
    this.#hasHeld = this.#holds();
    this.#workload.cluster.world.schedule(lookMs, () => this.#look());
  }
}
