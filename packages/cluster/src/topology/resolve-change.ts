import type { ClusterDocument, MemberChange, NodeId, TopologyChange } from "@coterie/core";
import type { Offer } from "../formation/offer-book.ts";

/** One node gets the places of a member, which hands over what it holds unless it is `dead`. */
export interface AskedReplacement {
  readonly id: NodeId;
  readonly by: NodeId;
  /** It will not come back: others hand over, and what only it holds is given up. */
  readonly dead?: boolean;
}

/** A change of the members as an operator words it: newcomers by their names. */
export interface AskedChange {
  readonly join?: readonly NodeId[];
  readonly leave?: readonly NodeId[];
  readonly remove?: readonly NodeId[];
  readonly replace?: readonly AskedReplacement[];
  readonly set?: readonly MemberChange[];
}

export type ResolvedChange =
  | { readonly ok: true; readonly change: TopologyChange }
  | { readonly ok: false; readonly code: "no-such-node" | "bad-request"; readonly message: string };

/**
 * Puts what newcomers say of themselves in the place of their names. That a member is away for a
 * moment gives up nothing that only it holds: whoever replaces it has to say that it is dead.
 */
export function resolveChange(
  { join = [], replace = [], ...rest }: AskedChange,
  document: ClusterDocument,
  offers: readonly Offer[],
  isGone: (id: NodeId) => boolean,
): ResolvedChange {
  const offered = new Map(offers.map(({ member }) => [member.id, member]));
  const wanted = [...join, ...replace.map(({ by }) => by)];
  const member = wanted.find((id) => document.members.some((each) => each.id === id));
  if (member !== undefined) {
    return { ok: false, code: "bad-request", message: `${member} is a member already` };
  }
  const missing = wanted.find((id) => !offered.has(id));
  if (missing !== undefined) {
    const message = `${missing} is no member and does not offer itself to this cluster`;
    return { ok: false, code: "no-such-node", message };
  }
  const away = replace.find(({ id, dead }) => dead !== true && isGone(id));
  if (away !== undefined) {
    const message =
      `${away.id} is away, and cannot hand over what it holds: start it first or, if it will not ` +
      "come back, say that it is dead; what only it holds is given up then";
    return { ok: false, code: "bad-request", message };
  }
  const newcomers = join.flatMap((id) => offered.get(id) ?? []);
  const replacements = replace.flatMap(({ id, by, dead }) => {
    const newcomer = offered.get(by);
    if (newcomer === undefined) return [];
    return { id, by: newcomer, departure: dead === true ? "removed" : "leaving" } as const;
  });
  return { ok: true, change: { ...rest, join: newcomers, replace: replacements } };
}
