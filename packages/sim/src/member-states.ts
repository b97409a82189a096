import type { MemberState } from "@coterie/core";
import type { SimCluster } from "./cluster.ts";

/** Which nodes take which members for one of `states`, in words. */
export function takenFor(cluster: SimCluster, states: ReadonlySet<MemberState>): readonly string[] {
  return cluster.ids.flatMap((id) => {
    const members = cluster.node(id)?.membership()?.members ?? [];
    return members
      .filter(({ state }) => states.has(state))
      .map((member) => `${id} takes ${member.id} for ${member.state}`);
  });
}
