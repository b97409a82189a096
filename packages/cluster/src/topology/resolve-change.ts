import type { ClusterDocument, MemberChange, NodeId, TopologyChange } from "@coterie/core";
import type { Offer } from "../formation/offer-book.ts";

/** A change of the members as an operator words it: newcomers by their names. */
export interface AskedChange {
  readonly join?: readonly NodeId[];
  readonly leave?: readonly NodeId[];
  readonly remove?: readonly NodeId[];
  readonly replace?: readonly { readonly id: NodeId; readonly by: NodeId }[];
  readonly set?: readonly MemberChange[];
}

export type ResolvedChange =
  | { readonly ok: true; readonly change: TopologyChange }
  | { readonly ok: false; readonly code: "no-such-node" | "bad-request"; readonly message: string };

/**
 * Puts what newcomers say of themselves in the place of their names. A member that is `gone` and is
 * replaced hands nothing over any more.
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
  const newcomers = join.flatMap((id) => offered.get(id) ?? []);
  const replacements = replace.flatMap(({ id, by }) => {
    const newcomer = offered.get(by);
    if (newcomer === undefined) return [];
    return { id, by: newcomer, departure: isGone(id) ? "removed" : "leaving" } as const;
  });
  return { ok: true, change: { ...rest, join: newcomers, replace: replacements } };
}
