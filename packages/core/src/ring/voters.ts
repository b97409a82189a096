import type { ClusterDocument, Member } from "./cluster-document.ts";

/** More make a change slower and hardly safer: four of seven must fail before none is possible. */
const votersMax = 7;

/**
 * Who votes on the next version of a document; more than half of them decide. Up to seven members,
 * spread over zones and then over hosts as far as there are any, then the first by id: all of them
 * in a cluster of up to seven nodes, and the first seven where each has a host of its own in one
 * zone. Those who leave vote only where there are too few others; who is gone for good and would
 * never answer, and who has forfeited its vote, does not.
 */
export function votersOf({ members }: ClusterDocument): readonly Member[] {
  const voters: Member[] = [];
  const others = members.filter(
    ({ departure, vote }) => departure !== "removed" && vote !== "forfeited",
  );
  while (voters.length < votersMax && others.length > 0) {
    const scores = others.map((member) => scoreOf(member, voters));
    const best = scores.indexOf(Math.min(...scores));
    voters.push(...others.splice(best, 1));
  }
  return voters.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

/** The less, the rather it votes: who stays, then whose zone, then whose host has the least say. */
function scoreOf({ departure, zone, host }: Member, voters: readonly Member[]): number {
  const inZone = voters.filter((voter) => voter.zone === zone).length;
  const onHost = voters.filter((voter) => voter.host === host).length;
  const base = votersMax + 1;
  return ((departure === undefined ? 0 : base) + inZone) * base + onHost;
}
