import {
  type Announcement,
  type DirectoryChange,
  type NodeId,
  replaceDirectory,
} from "@coterie/core";
import type { Clock, MonotonicMs, Random } from "@coterie/ports";
import type { AgreedDocument } from "../agreement/agreed-document.ts";
import type { MemberWatch } from "../membership/member-watch.ts";
import type { PeerResponse } from "../messages.ts";
import type { NodeConfig } from "../node-config.ts";
import { answerAsFormed } from "./answer-as-formed.ts";
import type { OfferBook } from "./offer-book.ts";

/** How long agreement on it may take, in milliseconds. */
const changeMs = 5000;
/** Before an attempt: random below this, so that mostly one of the peers makes it. */
const jitterMs = 1000;
/** After an attempt that failed. */
const againMs = 2000;
/** How often a member that seems to be there still is looked at, and the same thing is said. */
const doubtMs = 1000;
const repeatMs = 30_000;

export interface TakingBackParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly agreement: AgreedDocument;
  readonly watch: MemberWatch;
  readonly offers: OfferBook;
  readonly config: Pick<NodeConfig, "member" | "mayRejoin" | "onEvent">;
}

/** What is known of one member that asks to be taken back. */
interface Asker {
  nonce: string;
  isTrying: boolean;
  againAt: MonotonicMs;
  doubtAt: MonotonicMs;
  /** Why the last attempt failed. */
  failure: string;
  saidAt: MonotonicMs;
  said: string;
}

/**
 * Answers those who announce themselves. Newcomers are remembered, for an operator to make them
 * members. Members that have lost their directories get their places back: this node has a version
 * of the document chosen in which such a member has its new directory.
 *
 * Two processes may have one id and address, and one of them an empty directory. So it is done only
 * when the member with its former directory is taken for dead, or has left: one that is alive
 * answers whoever suspects it, or somebody else that does, and is not taken for dead.
 */
export class TakingBack {
  readonly #parts: TakingBackParts;
  readonly #askers = new Map<NodeId, Asker>();

  constructor(parts: TakingBackParts) {
    this.#parts = parts;
  }

  /** Answers a node that announces itself to this one. */
  receive(announcement: Announcement): PeerResponse {
    const { agreement, config } = this.#parts;
    return answerAsFormed(agreement.ring, config.member.id, this.#remarkFor(announcement));
  }

  #remarkFor(announcement: Announcement): string {
    const { ring } = this.#parts.agreement;
    const { id, address, nonce } = announcement.member;
    const known = ring.member(id);
    if (known === undefined) return this.#noteOffer(announcement);
    if (known.nonce === nonce) return "";
    if (known.departure === "removed") return `${id} is being removed: it may join after that`;
    const asker = this.#askerOf(id, nonce);
    const remark =
      known.address === address
        ? this.#consider(asker, { id, lost: known.nonce, empty: nonce }, announcement)
        : `${id} is at ${known.address}, not ${address}: start it with --peer ` +
          `${known.address}, or with another --id`;
    this.#say(id, asker, remark);
    return remark;
  }

  /** An offer counts once the newcomer has read what it offers itself to, and can go by it. */
  #noteOffer({ member, documentDigest }: Announcement): string {
    const { agreement, clock, config, offers } = this.#parts;
    const { id, address } = member;
    const hasRead = documentDigest === agreement.ring.digest || offers.knows(member);
    if (!hasRead) return "";
    const isNew = offers.note(member, clock.monotonicMs());
    if (isNew) config.onEvent({ kind: "offered", id, address });
    return offers.knows(member) ? "" : `another node of the name ${id} offers itself, too`;
  }

  #consider(asker: Asker, change: DirectoryChange, announcement: Announcement): string {
    const { clock, agreement, watch, config } = this.#parts;
    const { id, address } = announcement.member;
    if (!config.mayRejoin) return "rejoin is off here: no empty directory takes a member's place";
    // It has not read this very version: what it announced may be of long ago.
    if (announcement.documentDigest !== agreement.ring.digest) return "it has to read the document";
    if (!this.#isGone(id)) {
      const now = clock.monotonicMs();
      if (now >= asker.doubtAt) watch.doubt(address);
      if (now >= asker.doubtAt) asker.doubtAt = now + doubtMs;
      return (
        `${id} with its former directory is taken for ${watch.stateOf(id)}: if it still runs ` +
        "somewhere, stop one of the two; if not, that will be noticed"
      );
    }
    this.#try(asker, change);
    return asker.failure === "" ? "the others agree on it" : asker.failure;
  }

  #try(asker: Asker, change: DirectoryChange): void {
    const { clock, random } = this.#parts;
    const now = clock.monotonicMs();
    if (asker.isTrying || now < asker.againAt) return;
    asker.isTrying = true;
    clock.at(now + random.below(jitterMs), () => {
      if (this.#isGone(change.id)) void this.#agree(asker, change);
      else asker.isTrying = false;
    });
  }

  #isGone(id: NodeId): boolean {
    const state = this.#parts.watch.stateOf(id);
    return state === "dead" || state === "left";
  }

  async #agree(asker: Asker, change: DirectoryChange): Promise<void> {
    const { clock, agreement } = this.#parts;
    const deadline = clock.monotonicMs() + changeMs;
    const chosen = await agreement.change((current) => replaceDirectory(current, change), deadline);
    asker.failure = chosen.ok ? "" : chosen.message;
    asker.againAt = clock.monotonicMs() + againMs;
    asker.isTrying = false;
  }

  #askerOf(id: NodeId, nonce: string): Asker {
    const known = this.#askers.get(id);
    if (known?.nonce === nonce) return known;
    const never = Number.NEGATIVE_INFINITY;
    const asker: Asker = {
      nonce,
      isTrying: false,
      againAt: never,
      doubtAt: never,
      failure: "",
      saidAt: never,
      said: "",
    };
    this.#askers.set(id, asker);
    return asker;
  }

  #say(id: NodeId, asker: Asker, remark: string): void {
    const { clock, config } = this.#parts;
    const now = clock.monotonicMs();
    if (asker.said === remark && now - asker.saidAt < repeatMs) return;
    asker.said = remark;
    asker.saidAt = now;
    config.onEvent({ kind: "rejoin-waits", id, reason: remark });
  }
}
