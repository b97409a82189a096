import {
  type ClusterDocument,
  type ErrorCode,
  type NodeId,
  type PlannedTopology,
  type TopologyChange,
  abortMoves,
  pauseMoves,
  planHash,
  planTopology,
} from "@coterie/core";
import type { Clock, Network, Random } from "@coterie/ports";
import type { StoreStatistics } from "@coterie/storage";
import type { AgreedDocument } from "../agreement/agreed-document.ts";
import { OfferBook } from "../formation/offer-book.ts";
import { TakingBack } from "../formation/taking-back.ts";
import type { MemberWatch } from "../membership/member-watch.ts";
import type { Announcement, PeerRequest, PeerResponse } from "../messages.ts";
import type { NodeConfig } from "../node-config.ts";
import { PlanBook } from "./plan-book.ts";
import { type PlanView, viewPlan } from "./plan-view.ts";
import { type ForcingOrder, type ForcingOutcome, problemWithForcing } from "./forcing-order.ts";
import { type AskedChange, resolveChange } from "./resolve-change.ts";
import type { TopologyFailure } from "./topology-failure.ts";
import { Upgrade } from "./upgrade.ts";
import { type TopologyView, viewTopology } from "./topology-view.ts";

/** How long agreement on a change may take, in milliseconds. */
const changeMsMax = 10_000;

export interface TopologyParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly agreement: AgreedDocument;
  readonly watch: MemberWatch;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly config: NodeConfig;
  readonly statistics: () => StoreStatistics;
}

export type PlanOutcome = { readonly ok: true; readonly plan: PlanView } | TopologyFailure;

export type CommitOutcome =
  | {
      readonly ok: true;
      /** Of the version that the change has led to, or a later one. */
      readonly epoch: number;
      /** Partitions that move, or that move no more. */
      readonly partitions: number;
    }
  | TopologyFailure;

/** A plan by its hash, of which some digits do where the node remembers it. */
export interface Commitment {
  readonly hash: string;
  /** What the plan was made for; left out where the node remembers it. */
  readonly change?: AskedChange;
}

/** Who belongs to the cluster, as one node sees it, and how operators change that. */
export class Topology {
  readonly #parts: TopologyParts;
  readonly #self: NodeId;
  readonly #offers = new OfferBook();
  readonly #plans = new PlanBook();
  readonly #takingBack: TakingBack;
  /** The level that the cluster goes by. */
  readonly upgrade: Upgrade;

  constructor(parts: TopologyParts) {
    this.#parts = parts;
    this.#self = parts.config.member.id;
    this.upgrade = new Upgrade(parts);
    this.#takingBack = new TakingBack({ ...parts, offers: this.#offers });
  }

  /** Answers a node that announces itself to this one. */
  receive(announcement: Announcement): PeerResponse {
    return this.#takingBack.receive(announcement);
  }

  view(): TopologyView {
    const { agreement, clock, watch } = this.#parts;
    const offers = this.#offers.list(clock.monotonicMs());
    return viewTopology(this.#self, agreement.ring.document, watch, offers);
  }

  /** What a change would come to; it is remembered for some minutes. Nothing happens. */
  plan(asked: AskedChange): PlanOutcome {
    const { agreement, clock } = this.#parts;
    const { document } = agreement.ring;
    const resolved = this.#resolve(asked, document);
    if (!resolved.ok) return refused(resolved.code, resolved.message);
    const planned = planTopology(document, resolved.change, this.#alive(document));
    if (!planned.ok) return refusalOf(planned);
    if (planned.document === document) return refused("bad-request", "that changes nothing");
    const plan = this.#show(document, planned);
    this.#plans.keep(plan.hash, resolved.change, clock.monotonicMs());
    return { ok: true, plan };
  }

  /** Does what a plan has shown, if the cluster is still the one that it was made for. */
  async commit({ hash: digits, change: asked }: Commitment): Promise<CommitOutcome> {
    const { agreement, clock } = this.#parts;
    const now = clock.monotonicMs();
    if (asked === undefined) {
      const kept = this.#plans.find(digits, now);
      if (kept !== undefined) return this.#agree(kept.hash, kept.change);
      const message = `${this.#self} remembers no plan ${digits}, or more than one begins so`;
      return refused("no-such-plan", message);
    }
    const resolved = this.#resolve(asked, agreement.ring.document);
    if (!resolved.ok) return refused(resolved.code, resolved.message);
    return this.#agree(digits, resolved.change);
  }

  /** Takes back all moves that are not over. */
  async abort(): Promise<CommitOutcome> {
    const { agreement, clock } = this.#parts;
    let partitions = 0;
    const chosen = await agreement.change((current) => {
      partitions = Math.max(partitions, current.moves?.length ?? 0);
      return abortMoves(current);
    }, clock.monotonicMs() + changeMsMax);
    if (!chosen.ok) return chosen;
    return { ok: true, epoch: chosen.document.epoch, partitions };
  }

  /** Has all that moves stand still, or go on; `partitions` says how many move. */
  async pause(isPaused: boolean): Promise<CommitOutcome> {
    const { agreement, clock } = this.#parts;
    const chosen = await agreement.change(
      (current) => pauseMoves(current, isPaused),
      clock.monotonicMs() + changeMsMax,
    );
    if (!chosen.ok) return chosen;
    const { epoch, moves = [] } = chosen.document;
    return { ok: true, epoch, partitions: moves.length };
  }

  /**
   * Goes on with those voters alone that are named, where too few are left for a majority: the
   * others have no vote from then on.
   */
  async forceVoters(order: ForcingOrder): Promise<ForcingOutcome> {
    const { agreement, clock } = this.#parts;
    const now = await agreement.votersNow();
    const problem = problemWithForcing(order, now);
    if (problem !== undefined) return refused("bad-request", problem);
    const voters = order.voters.toSorted();
    const choice = { voters, by: order.by, atMs: Math.floor(clock.wallMs()) };
    const deadline = clock.monotonicMs() + changeMsMax;
    const chosen = await agreement.forceVoters(choice, now.epoch, deadline);
    if (!chosen.ok) return chosen;
    const { epoch, forcings = [] } = chosen.document;
    return { ok: true, epoch, lost: forcings.at(-1)?.lost ?? [] };
  }

  async #agree(hash: string, change: TopologyChange): Promise<CommitOutcome> {
    const { agreement, clock } = this.#parts;
    let attempt: Attempt = { kind: "stale" };
    let wasProposed = false;
    const chosen = await agreement.change((current) => {
      attempt = attemptAt(current, hash, change);
      if (attempt.kind === "proposed") wasProposed = true;
      return attempt.kind === "proposed" ? attempt.document : current;
    }, clock.monotonicMs() + changeMsMax);
    if (!chosen.ok) return chosen;
    const last = attempt as Attempt;
    if (last.kind === "proposed" || last.kind === "done") {
      const { document } = last;
      return { ok: true, epoch: document.epoch, partitions: document.moves?.length ?? 0 };
    }
    if (wasProposed) {
      const message = "others have changed the cluster since, perhaps by this very plan";
      return { ...refused("stale-plan", message), outcome: "unknown" };
    }
    if (last.kind === "refused") return refusalOf(last.refusal);
    const message = `the cluster has changed since plan ${hash} was made`;
    return refused("stale-plan", message);
  }

  #resolve(asked: AskedChange, document: ClusterDocument): ReturnType<typeof resolveChange> {
    const { clock } = this.#parts;
    const offers = this.#offers.list(clock.monotonicMs());
    return resolveChange(asked, document, offers, (id) => this.#isGone(id));
  }

  #show(before: ClusterDocument, planned: PlannedTopology & { readonly ok: true }): PlanView {
    const { statistics, config, agreement } = this.#parts;
    const held = agreement.ring.partitionsOf(this.#self).length;
    const { bytesLive } = statistics();
    return viewPlan(before, planned, {
      bytesPerCopy: held === 0 ? undefined : bytesLive / held,
      bytesPerSecond: config.antiEntropy.bytesPerSecond,
      stateOf: (id) => (id === this.#self ? "alive" : this.#parts.watch.stateOf(id)),
    });
  }

  #alive({ members }: ClusterDocument): ReadonlySet<NodeId> {
    return new Set(members.map(({ id }) => id).filter((id) => !this.#isGone(id)));
  }

  #isGone(id: NodeId): boolean {
    const state = id === this.#self ? "alive" : this.#parts.watch.stateOf(id);
    return state === "dead" || state === "left";
  }
}

type Attempt =
  | { readonly kind: "proposed" | "done"; readonly document: ClusterDocument }
  | { readonly kind: "refused"; readonly refusal: PlannedTopology & { readonly ok: false } }
  | { readonly kind: "stale" };

/** What a plan comes to on the latest version. */
function attemptAt(current: ClusterDocument, hash: string, change: TopologyChange): Attempt {
  if (planHash(current) === hash) return { kind: "done", document: current };
  const planned = planTopology(current, change);
  if (!planned.ok) return { kind: "refused", refusal: planned };
  const isSame = planHash(planned.document) === hash;
  return isSame ? { kind: "proposed", document: planned.document } : { kind: "stale" };
}

function refused(code: ErrorCode, message: string): TopologyFailure {
  return { ok: false, code, message, outcome: "refused" };
}

function refusalOf({ code, message }: PlannedTopology & { readonly ok: false }): TopologyFailure {
  if (code === "under-way") return refused("under-way", message);
  return refused(code === "unknown-node" ? "no-such-node" : "bad-request", message);
}
