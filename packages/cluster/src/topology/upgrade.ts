import {
  type Levels,
  type Member,
  type NodeId,
  levelOf,
  levelsText,
  levelsUnsaid,
  raiseLevel,
} from "@coterie/core";
import type { Clock, Network } from "@coterie/ports";
import type { AgreedDocument } from "../agreement/agreed-document.ts";
import { askPeer } from "../ask-peer.ts";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import type { NodeConfig } from "../node-config.ts";
import type { TopologyFailure } from "./topology-failure.ts";

/** How long a member may take to say what it speaks, in milliseconds. */
const askMs = 2000;
/** How long agreement may take, in milliseconds. */
const changeMsMax = 10_000;

export interface UpgradeParts {
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly agreement: AgreedDocument;
  readonly config: NodeConfig;
}

/** What one member has said when it was asked. */
export interface MemberLevels {
  readonly id: NodeId;
  /** `undefined`: it did not answer. */
  readonly levels: Levels | undefined;
}

export interface UpgradeView {
  /** What the cluster goes by. */
  readonly level: number;
  /** What it could go by; `undefined` while a member does not answer. */
  readonly possible: number | undefined;
  readonly members: readonly MemberLevels[];
}

export type FinalizeOutcome =
  | { readonly ok: true; readonly level: number; readonly epoch: number }
  | TopologyFailure;

/** The level that a cluster goes by, and how it is raised once all members run a newer build. */
export class Upgrade {
  readonly #parts: UpgradeParts;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** Asks every member, now. */
  async view(): Promise<UpgradeView> {
    const { document } = this.#parts.agreement.ring;
    const asked = document.members.map((member) => this.#ask(member));
    const members: MemberLevels[] = [];
    for (const answer of asked) members.push(await answer);
    const maxima = members.map(({ levels }) => levels?.max);
    const isWhole = maxima.every((max) => max !== undefined);
    const possible = isWhole ? Math.min(...maxima) : undefined;
    return { level: levelOf(document), possible, members };
  }

  /**
   * Has the cluster go by the newest level that all members speak. Whoever speaks it can be
   * replaced by an older build until it restarts, and is refused then: its directory has the
   * document.
   */
  async finalize(): Promise<FinalizeOutcome> {
    const { agreement, clock } = this.#parts;
    const { epoch } = agreement.ring;
    const { level, possible, members } = await this.view();
    const silent = members.filter(({ levels }) => levels === undefined).map(({ id }) => id);
    if (possible === undefined) {
      return refused(`${silent.join(", ")} did not say what they speak, and all have to`);
    }
    if (possible <= level) {
      const each = members.map(({ id, levels }) => `${id} ${levelsText(levels ?? levelsUnsaid)}`);
      if (level === this.#parts.config.levels.max) return { ok: true, level, epoch };
      return refused(
        `the cluster goes by level ${level}, and not all speak more: ${each.join(", ")}`,
      );
    }
    // Whoever has become a member meanwhile was not asked.
    const ids = members.map(({ id }) => id).join();
    const chosen = await agreement.change((current) => {
      const isSame = current.members.map(({ id }) => id).join() === ids;
      return isSame ? raiseLevel(current, possible) : current;
    }, clock.monotonicMs() + changeMsMax);
    if (!chosen.ok) return chosen;
    const reached = levelOf(chosen.document);
    if (reached < possible) return refused("the members have changed meanwhile: try again");
    return { ok: true, level: reached, epoch: chosen.document.epoch };
  }

  async #ask(member: Member): Promise<MemberLevels> {
    const { id } = member;
    const { config } = this.#parts;
    if (id === config.member.id) return { id, levels: config.levels };
    const answer = await askPeer(this.#parts, member, { kind: "ask-levels" }, askMs);
    if (answer?.kind === "levels") return { id, levels: answer.levels };
    // A build from before there were levels does not understand the question.
    const isOld = answer?.kind === "refused" && answer.code === "malformed";
    return { id, levels: isOld ? levelsUnsaid : undefined };
  }
}

/** The answer to whoever asks what a node speaks. */
export function answerLevels({ levels }: Pick<NodeConfig, "levels">): PeerResponse {
  return { kind: "levels", levels };
}

function refused(message: string): TopologyFailure {
  return { ok: false, code: "older-member", message, outcome: "refused" };
}
