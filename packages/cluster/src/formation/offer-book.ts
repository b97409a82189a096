import type { Announcement, Member, NodeId } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";

/** So long after it was heard last, a newcomer is forgotten, in milliseconds. */
const keptMs = 30_000;
/** Newcomers remembered: whoever reaches the peer door can announce itself. */
const offersMax = 256;

/** A node that is no member, and asks to be one. */
export interface Offer {
  readonly member: Member;
  /** How long ago it was heard. */
  readonly ageMs: number;
}

interface Heard {
  readonly member: Member;
  readonly at: MonotonicMs;
}

/** The newcomers that have announced themselves to this node lately. */
export class OfferBook {
  readonly #heard = new Map<NodeId, Heard>();

  /** Notes that a newcomer is there; true if it was not known before. */
  note(member: Member, now: MonotonicMs): boolean {
    this.#forget(now);
    const known = this.#heard.get(member.id);
    if (known === undefined && this.#heard.size >= offersMax) return false;
    // Two that call themselves alike take turns otherwise: the first one stays.
    if (known !== undefined && known.member.nonce !== member.nonce) return false;
    this.#heard.set(member.id, { member, at: now });
    return known === undefined;
  }

  /** Whether this very directory has offered itself. */
  knows({ id, nonce }: Announcement["member"]): boolean {
    return this.#heard.get(id)?.member.nonce === nonce;
  }

  /** In the order of their ids. */
  list(now: MonotonicMs): readonly Offer[] {
    this.#forget(now);
    return [...this.#heard.values()]
      .map(({ member, at }) => ({ member, ageMs: now - at }))
      .toSorted((left, right) => (left.member.id < right.member.id ? -1 : 1));
  }

  #forget(now: MonotonicMs): void {
    for (const [id, { at }] of this.#heard) if (now - at > keptMs) this.#heard.delete(id);
  }
}
