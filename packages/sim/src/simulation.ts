import { type MemberState, type NodeId, utf8 } from "@coterie/core";
import { actorsBounded } from "./checkers/actors-bounded.ts";
import { boundedQueues } from "./checkers/bounded-queues.ts";
import { boundedSiblings } from "./checkers/bounded-siblings.ts";
import { contextsAdvance } from "./checkers/contexts-advance.ts";
import { completeScans } from "./checkers/complete-scans.ts";
import { convergence } from "./checkers/convergence.ts";
import { foreignContext } from "./checkers/foreign-context.ts";
import { freshness } from "./checkers/freshness.ts";
import { tombstonesForgotten } from "./checkers/tombstones-forgotten.ts";
import { handoffDrained } from "./checkers/handoff-drained.ts";
import { liveness } from "./checkers/liveness.ts";
import { membershipAgreement } from "./checkers/membership-agreement.ts";
import { movesSettled } from "./checkers/moves-settled.ts";
import { noFalseSibling } from "./checkers/no-false-sibling.ts";
import { noHangingStory } from "./checkers/no-hanging-story.ts";
import { noLostWrite } from "./checkers/no-lost-write.ts";
import { noPhantom } from "./checkers/no-phantom.ts";
import { noUnexplainedExit } from "./checkers/no-unexplained-exit.ts";
import { nothingExpired } from "./checkers/nothing-expired.ts";
import { nothingUndead } from "./checkers/nothing-undead.ts";
import { progress } from "./checkers/progress.ts";
import { ringSafety } from "./checkers/ring-safety.ts";
import { runClients } from "./client.ts";
import { SimCluster, type SimClusterOptions } from "./cluster.ts";
import type { Evidence, EvidenceChecker } from "./evidence.ts";
import { Health } from "./faults/health.ts";
import { Faults } from "./faults/faults.ts";
import type { FaultKind } from "./faults/kinds.ts";
import type { Checker, FinalState, Violation } from "./history.ts";
import type { Memory } from "./memory.ts";
import { takenFor } from "./member-states.ts";
import { whatIsLeft, whatIsWide } from "./what-is-left.ts";
import { mostBytesOwed, whatIsOwed } from "./what-is-owed.ts";
import { whatIsBehind } from "./what-is-behind.ts";
import { whatIsMoving } from "./what-is-moving.ts";
import { fairWeather } from "./network.ts";
import { Operator, dismissNewcomers, resumeMoves } from "./operator.ts";
import { Prober } from "./prober.ts";
import { Scanner } from "./scanner.ts";
import { type SwarmKnobs, drawKnobs } from "./swarm-knobs.ts";
import { Workload } from "./workload.ts";
import { type Turns, World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly drain: () => Promise<void>;
  /** As for the {@link World}. */
  readonly turns?: Turns | undefined;
  /** As for the {@link World}. */
  readonly memory?: Memory | undefined;
  /** Knobs to turn by hand; what is left out, the seed draws. */
  readonly knobs?: Partial<SwarmKnobs>;
  /** Lines of the trace kept for the report. */
  readonly traceLinesMax?: number;
  /** Given the world before anything happens in it: its trace outlives a run that throws. */
  readonly onWorld?: ((world: World) => void) | undefined;
  readonly planted?: Pick<SimClusterOptions, "wrapDisk" | "corrupt">;
}

export interface SimulationReport {
  readonly seed: number;
  readonly knobs: SwarmKnobs;
  readonly violations: readonly Violation[];
  readonly traceHash: string;
  readonly traceTail: readonly string[];
  /** Everything that clients asked for. */
  readonly operations: number;
  readonly writes: number;
  readonly acknowledged: number;
  readonly reads: number;
  /** Writes that were acknowledged, and reads, in which fallbacks took part. */
  readonly stoodIn: number;
  /** Scans that came to their end, and the pages that were asked for. */
  readonly scans: number;
  readonly pages: number;
  /** Operations that had to succeed during faults, of those that looked for it. */
  readonly demanded: number;
  readonly probes: number;
  readonly restarts: number;
  /** Joins, leaves and replacements of nodes. */
  readonly changes: number;
  /** How often each kind of fault struck. */
  readonly faults: ReadonlyMap<FaultKind, number>;
}

/** Everything that a history is judged by. */
export const checkers: readonly Checker[] = [
  noLostWrite,
  nothingUndead,
  nothingExpired,
  noFalseSibling,
  noPhantom,
  freshness,
  contextsAdvance,
  completeScans,
  boundedSiblings,
  foreignContext,
  convergence,
];

/** Everything that nodes are judged by besides. */
export const evidenceCheckers: readonly EvidenceChecker[] = [
  boundedQueues,
  noHangingStory,
  noUnexplainedExit,
  liveness,
  progress,
  membershipAgreement,
  handoffDrained,
  tombstonesForgotten,
  actorsBounded,
  movesSettled,
  ringSafety,
];

/** Virtual time within which the clients' operations end, whatever goes wrong. */
const workloadMsMax = 600_000;
/** Virtual time within which nodes serve again once everything is healed. */
const recoveryMsMax = 60_000;
/** Virtual time after which what was under way has arrived or was given up. */
const quietMs = 5000;
/** Virtual time within which a healed cluster takes nobody for dead any more. */
const revivalMsMax = 20_000;
/** And within which it holds nobody back any more for having come and gone too often. */
const holdMsMax = 40_000;
/** And within which nobody owes anything, what a crash made suspect among it. */
const drainMsMax = 60_000;
/** And within which every tombstone is forgotten. */
const forgetMsMax = 120_000;
/** And within which all that moves has moved. */
const settleMsMax = 120_000;
const goneStates: ReadonlySet<MemberState> = new Set(["dead", "left"]);
const otherStates: ReadonlySet<MemberState> = new Set(["unknown", "suspect", "dead", "left"]);
/** They draw from streams of these names. */
const operatorNames = ["operator", "operator/2"];
/** How often queues are looked at. */
const sampleMs = 2000;

/**
 * A cluster, a workload and faults, all from one seed and the knobs that it draws; then everything
 * is healed, progress is demanded, every key is read from all replicas, and the checkers judge.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const knobs = { ...drawKnobs(options.seed), ...options.knobs };
  return new Run(options, knobs).toTheEnd();
}

/** One simulation from beginning to end. */
class Run {
  readonly #options: SimulationOptions;
  readonly #knobs: SwarmKnobs;
  readonly #world: World;
  readonly #cluster: SimCluster;
  readonly #faults: Faults;
  readonly #workload: Workload;
  readonly #scanner: Scanner;
  readonly #prober: Prober;
  readonly #operators: readonly Operator[];
  readonly #overLimit = new Set<string>();
  readonly #failedProbes: string[] = [];
  readonly #disagreements: string[] = [];
  readonly #undrained: string[] = [];
  readonly #unforgotten: string[] = [];
  readonly #unretired: string[] = [];
  readonly #unsettled: string[] = [];
  #error: { readonly error: unknown } | undefined;

  constructor(options: SimulationOptions, knobs: SwarmKnobs) {
    const { seed, drain, turns, memory, traceLinesMax = 200 } = options;
    this.#options = options;
    this.#knobs = knobs;
    this.#world = new World({ seed, drain, turns, memory, traceLinesMax });
    options.onWorld?.(this.#world);
    const latency = { msMin: 0.25, msMax: knobs.weather.latencyMsMax };
    this.#cluster = new SimCluster(this.#world, {
      nodes: knobs.nodes,
      partitions: knobs.partitions,
      buckets: knobs.buckets.map((bucket) => ({
        ...bucket,
        pr: 0,
        pw: 0,
        allowStale: bucket.r + bucket.w <= bucket.n,
        mode: bucket.mode ?? "strict",
      })),
      tuning: {
        hedgeAfterMs: knobs.hedgeAfterMs,
        forwardAttemptMs: 300,
        timeoutMsDefault: 1000,
        ...(knobs.recordsUnderWayMax !== undefined && {
          recordsUnderWayMax: knobs.recordsUnderWayMax,
        }),
        ...(knobs.hotReadsPerSecond !== undefined && {
          hotReadsPerSecond: knobs.hotReadsPerSecond,
        }),
        ...(knobs.keepExpiredMs !== undefined && { keepExpiredMs: knobs.keepExpiredMs }),
      },
      segmentBytes: knobs.segmentBytes,
      cacheBytes: knobs.cacheBytes,
      driftPerMillionMax: knobs.driftPerMillionMax,
      handoff: knobs.handoff,
      antiEntropy: knobs.antiEntropy,
      ...(knobs.reaping !== undefined && { reaping: knobs.reaping }),
      onDown: (id) => this.#faults.supervisor.noteDown(id),
      onReap: () => this.#faults.noteReap(),
      onError: (error) => {
        this.#error ??= { error };
      },
      ...options.planted,
    });
    this.#faults = new Faults(this.#cluster, knobs);
    this.#workload = new Workload(this.#cluster, knobs, this.#faults);
    this.#scanner = new Scanner(this.#workload);
    const { supervisor, bereft } = this.#faults;
    this.#prober = new Prober(this.#workload, new Health(this.#cluster, supervisor, bereft));
    const { topology } = knobs;
    const copies = copiesMost(knobs);
    const names = operatorNames.slice(0, topology?.operators ?? 1);
    this.#operators =
      topology === undefined
        ? []
        : names.map(
            (name) =>
              new Operator(this.#cluster, supervisor, topology, {
                name,
                copies,
                onChange: (through) => this.#faults.noteChange(through),
              }),
          );
    this.#cluster.network.weather = { ...fairWeather, latency };
  }

  async toTheEnd(): Promise<SimulationReport> {
    await this.#cluster.start();
    this.#beginWeather();
    this.#sample();
    const scans = this.#scanner.run();
    const probes = this.#prober.run();
    const changes = this.#operators.map((operator) =>
      operator.run().catch((error: unknown) => {
        this.#error ??= { error };
      }),
    );
    await this.#waitFor(runClients(this.#workload), workloadMsMax);
    this.#prober.end();
    await this.#waitFor(probes, workloadMsMax);
    for (const operator of this.#operators) operator.end();
    for (const change of changes) await this.#waitFor(change, workloadMsMax);
    this.#faults.heal();
    await this.#waitFor(scans, workloadMsMax);
    if (this.#operators.length > 0) await this.#settle();
    await this.#recover();
    await this.#agree();
    await this.#drain();
    await this.#forget();
    await this.#probe();
    await this.#scanAll();
    const from = this.#world.nowMs;
    const final = await this.#waitFor(this.#workload.finalState(), workloadMsMax);
    await this.#pass(quietMs);
    this.#workload.history.finalMs = { from, to: this.#world.nowMs };
    this.#workload.history.cutSinceMs = this.#cluster.cutSinceMs;
    return this.#report(final ?? []);
  }

  #beginWeather(): void {
    const { latencyMsMax, lost, duplicated, late } = this.#knobs.weather;
    this.#cluster.network.weather = {
      latency: { msMin: 0.25, msMax: latencyMsMax },
      lossPerThousand: lost,
      duplicatePerThousand: duplicated,
      latePerThousand: late,
    };
  }

  #sample(): void {
    for (const id of this.#cluster.ids) {
      for (const what of this.#cluster.overLimit(id)) this.#overLimit.add(`${id}: ${what}`);
    }
    this.#world.schedule(sampleMs, () => this.#sample());
  }

  /** Waits until every node serves all it had, and then until what is late has come. */
  async #recover(): Promise<void> {
    const { ids } = this.#cluster;
    // One that fetches what damage took says of what it may lack that it does not know.
    const isServing = (id: NodeId): boolean => {
      const node = this.#cluster.node(id);
      return node?.missing().length === 0 && !node.isRefilling;
    };
    const end = this.#world.nowMs + recoveryMsMax;
    while (this.#world.nowMs < end && !ids.every(isServing)) await this.#pass(100);
    for (const id of ids) if (!isServing(id)) this.#failedProbes.push(`${id} does not serve`);
    await this.#pass(quietMs);
  }

  /** Waits until all copies are where they belong. */
  async #settle(): Promise<void> {
    await this.#pass(quietMs);
    dismissNewcomers(this.#cluster);
    const end = this.#world.nowMs + settleMsMax;
    const left = (): readonly string[] => whatIsMoving(this.#cluster);
    while (this.#world.nowMs < end && left().length > 0) {
      const resumed = resumeMoves(this.#cluster);
      if (resumed !== undefined) await this.#waitFor(resumed, settleMsMax);
      await this.#pass(100);
    }
    this.#unsettled.push(...left());
    dismissNewcomers(this.#cluster);
  }

  /** Waits until nobody is taken for dead, and until all are taken for alive. */
  async #agree(): Promise<void> {
    for (const [states, msMax] of [
      [goneStates, revivalMsMax],
      [otherStates, holdMsMax],
    ] as const) {
      const end = this.#world.nowMs + msMax;
      const others = (): readonly string[] => takenFor(this.#cluster, states);
      while (this.#world.nowMs < end && others().length > 0) await this.#pass(100);
      this.#disagreements.push(...others());
    }
  }

  /**
   * Waits until nobody owes anything, and until all owners have compared their copies; then all
   * copies are equal, and nobody has read them.
   */
  async #drain(): Promise<void> {
    const { handoff, antiEntropy } = this.#knobs;
    const isPaid = handoff.bytesPerSecond > 0;
    if (!isPaid && antiEntropy.intervalMs === 0) return;
    const startMs = this.#world.nowMs;
    const left = (): readonly string[] => [
      ...(isPaid ? whatIsOwed(this.#cluster) : []),
      ...(antiEntropy.intervalMs > 0
        ? whatIsBehind(this.#cluster, this.#world.nowMs - startMs)
        : []),
    ];
    // What one held before it crashed goes to every primary, as fast as its rate allows.
    const owed = isPaid ? mostBytesOwed(this.#cluster) * copiesMost(this.#knobs) : 0;
    const paidMs = isPaid ? (owed * 1000) / handoff.bytesPerSecond : 0;
    // An exchange that had just begun when all was healed is not the one that counts.
    const end = startMs + drainMsMax + paidMs + antiEntropy.intervalMs;
    do await this.#pass(100);
    while (this.#world.nowMs < end && left().length > 0);
    this.#undrained.push(...left());
    const { history } = this.#workload;
    const from = this.#world.nowMs;
    let unread = await this.#waitFor(this.#workload.ownCopies(), recoveryMsMax);
    if (this.#faults.bereft.size > 0) {
      // Damage that nobody had met was met now, and is refilled: that is nothing anybody owed.
      await this.#pass(quietMs);
      unread = await this.#waitFor(this.#workload.ownCopies(), recoveryMsMax);
    }
    // What a disk took with it that others were owed, only comparing brings back.
    if (this.#workload.history.losesCopies && antiEntropy.intervalMs === 0) return;
    for (const { key, copies } of unread ?? []) {
      if (new Set(copies.values()).size <= 1) continue;
      // What one has swept and another one has not come to is nothing that anybody owes.
      if (history.isExpiring(key, from, this.#world.nowMs)) continue;
      const held = [...copies].map(([node, digest]) => `${node}=${digest || "nothing"}`);
      this.#undrained.push(`${key} differs unread: ${held.join(" ")}`);
    }
  }

  /** Waits for a moment in which no node holds a tombstone, and one in which no clock is wide. */
  async #forget(): Promise<void> {
    const { antiEntropy, reaping } = this.#knobs;
    // Where copies are not compared, what one has forgotten another may keep until somebody reads.
    if (reaping === undefined || antiEntropy.intervalMs === 0) return;
    const end = this.#world.nowMs + forgetMsMax;
    const left = (): readonly string[] => whatIsLeft(this.#cluster);
    while (this.#world.nowMs < end && left().length > 0) await this.#pass(100);
    this.#unforgotten.push(...left());
    const wide = (): readonly string[] => whatIsWide(this.#cluster);
    while (this.#world.nowMs < end && wide().length > 0) await this.#pass(100);
    this.#unretired.push(...wide());
  }

  /** Nothing is wrong any more: through every node, one put and one get of each bucket succeed. */
  async #probe(): Promise<void> {
    const probes = this.#cluster.ids.flatMap((id) =>
      this.#knobs.buckets.map(({ name }) => this.#probeOne(id, name)),
    );
    for (const probe of probes) await this.#waitFor(probe, quietMs);
  }

  /** Nothing is wrong any more: every bucket can be scanned. */
  async #scanAll(): Promise<void> {
    for (const bucket of this.#knobs.buckets) {
      const isWhole = await this.#waitFor(this.#scanner.scan(bucket), recoveryMsMax);
      if (isWhole !== true) this.#failedProbes.push(`a scan of ${bucket.name}`);
    }
  }

  async #probeOne(id: NodeId, bucket: string): Promise<void> {
    const key = { bucket, key: utf8(`probe-${id}`) };
    const input = { value: utf8(id), contentType: "", context: undefined, writeId: undefined };
    const put = await this.#workload.ask(id, (node) =>
      node.put(key, { ...input, returnBody: false, ifAbsent: false }, {}),
    );
    if (put?.ok !== true) this.#failedProbes.push(`put in ${bucket} through ${id}: ${put?.code}`);
    const get = await this.#workload.ask(id, (node) => node.get(key, {}));
    if (get?.ok !== true) this.#failedProbes.push(`get in ${bucket} through ${id}: ${get?.code}`);
  }

  /** Lets virtual time pass until the story settles; `undefined` if it does not in time. */
  async #waitFor<Value>(story: Promise<Value>, msMax: number): Promise<Value | undefined> {
    let settled: { readonly value: Value } | undefined;
    void story.then(
      (value) => {
        settled = { value };
      },
      (error: unknown) => {
        this.#error ??= { error };
      },
    );
    const end = this.#world.nowMs + msMax;
    while (settled === undefined && this.#world.nowMs < end) await this.#pass(100);
    return settled?.value;
  }

  async #pass(ms: number): Promise<void> {
    await this.#world.run({ until: this.#world.nowMs + ms });
    if (this.#error !== undefined) throw this.#error.error;
  }

  #report(final: readonly FinalState[]): SimulationReport {
    const { history } = this.#workload;
    this.#noteForgotten(final);
    const violations = [
      ...checkers.flatMap((check) => check(history, final)),
      ...evidenceCheckers.flatMap((check) => check(this.#evidence())),
    ];
    return {
      seed: this.#options.seed,
      knobs: this.#knobs,
      violations,
      traceHash: this.#world.traceHash(),
      traceTail: this.#world.traceTail(),
      operations: this.#workload.issued,
      writes: history.writes.length,
      acknowledged: history.writes.filter(({ outcome }) => outcome === "ok").length,
      reads: history.reads.length,
      stoodIn: this.#workload.stoodIn,
      scans: history.scans.length,
      pages: this.#scanner.pages,
      demanded: this.#prober.judged,
      probes: this.#prober.operations,
      restarts: this.#faults.supervisor.starts,
      changes: this.#operators.reduce((sum, { changes }) => sum + changes, 0),
      faults: this.#faults.counts,
    };
  }

  /** What was acknowledged is gone from a directory that was rolled back, and it cannot know. */
  #noteForgotten(final: readonly FinalState[]): void {
    for (const { key, copies } of final) {
      for (const [node, sinceMs] of this.#faults.forgetful) {
        if (copies.has(node)) this.#workload.history.noteForgotten(key, sinceMs);
      }
    }
  }

  #evidence(): Evidence {
    const since = this.#world.nowMs - quietMs;
    const questions = this.#workload.hanging(since);
    const { supervisor } = this.#faults;
    return {
      overLimit: [...this.#overLimit],
      hanging: { questions, ...this.#cluster.network.hanging(since) },
      exits: [
        ...this.#cluster.fatal
          .filter(({ node, reason }) => !supervisor.explains(node, reason))
          .map(({ node, reason }) => `${node}: ${reason}`),
        ...supervisor.failures.map(({ node, message }) => `${node}: ${message}`),
      ],
      stalled: this.#prober.stalled,
      failedProbes: this.#failedProbes,
      disagreements: this.#disagreements,
      undrained: this.#undrained,
      unforgotten: this.#unforgotten,
      unretired: this.#unretired,
      unsettled: this.#unsettled,
      versions: this.#cluster.versions.violations,
    };
  }
}

/** The largest number of copies of any bucket. */
function copiesMost({ buckets }: Pick<SwarmKnobs, "buckets">): number {
  return Math.max(...buckets.map(({ n }) => n));
}
