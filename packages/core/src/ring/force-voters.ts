import type { NodeId } from "../ids.ts";
import type { ClusterDocument, Forcing } from "./cluster-document.ts";
import { documentDigest } from "./document-codec.ts";
import { votersOf } from "./voters.ts";

/** Forced versions have epochs that are whole multiples of this. */
const forcedStep = 1_000_000_000;
/** As often as that a cluster can lose its voters: each time is remembered. */
const forcingsMax = 64;

/** What an operator says when too few voters are left to agree. */
export interface ForcedChoice {
  /** The voters that are left, all of which agree on it. */
  readonly voters: readonly NodeId[];
  readonly by: string;
  readonly atMs: number;
}

/**
 * The epoch of a version that is forced on this one: above all that the voters who are given up
 * could have agreed on since, were they to come back.
 */
export function forcedEpochAfter(epoch: number): number {
  return (Math.floor(epoch / forcedStep) + 1) * forcedStep;
}

/** True if a version was not chosen by a majority of the voters of the one before. */
export function isForced({ epoch, forcings = [] }: ClusterDocument): boolean {
  return forcings.at(-1)?.epoch === epoch;
}

/**
 * The version in which those of its voters who are not named have lost their votes, and nothing
 * else is changed; `undefined` if nobody would be left to vote, or it was done too often.
 */
export function forceVoters(
  document: ClusterDocument,
  { voters, by, atMs }: ForcedChoice,
): ClusterDocument | undefined {
  const { forcings = [] } = document;
  const present = votersOf(document).map(({ id }) => id);
  const left = present.filter((id) => voters.includes(id));
  if (left.length === 0 || forcings.length >= forcingsMax) return undefined;
  const lost = present.filter((id) => !voters.includes(id));
  const epoch = forcedEpochAfter(document.epoch);
  const digest = documentDigest(document);
  const forcing: Forcing = { epoch, base: document.epoch, digest, voters, lost, by, atMs };
  return {
    ...document,
    epoch,
    members: document.members.map((member) =>
      lost.includes(member.id) ? { ...member, vote: "forfeited" } : member,
    ),
    forcings: [...forcings, forcing],
  };
}

/**
 * The forced version on the way to `later` that does not come after `own`: who goes by that has
 * agreed, or heard, of something that the others gave up. `undefined` if `later` may follow.
 */
export function forcedApart(own: ClusterDocument, later: ClusterDocument): Forcing | undefined {
  const { forcings = [] } = later;
  const known = own.forcings ?? [];
  const differing = known.findIndex((each, at) => !isSameForcing(each, forcings[at]));
  if (differing >= 0) return forcings[differing] ?? known[differing];
  const forcing = forcings[known.length];
  if (forcing === undefined || own.epoch < forcing.base) return undefined;
  const isBase = own.epoch === forcing.base && documentDigest(own) === forcing.digest;
  return isBase ? undefined : forcing;
}

/**
 * The forced version that a voter has accepted and that may be chosen, while it goes by `own`: it
 * takes no other version then that does not come after it.
 */
export function pendingForce(
  own: ClusterDocument,
  accepted: ClusterDocument,
): ClusterDocument | undefined {
  const isNext = accepted.epoch > own.epoch && isForced(accepted);
  return isNext && forcedApart(own, accepted) === undefined ? accepted : undefined;
}

function isSameForcing(one: Forcing, other: Forcing | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
