import type { NodeId } from "@coterie/core";
import type { VotersNow } from "../agreement/force-document.ts";
import type { TopologyFailure } from "./topology-failure.ts";

/** What an operator says to go on without most of the voters. */
export interface ForcingOrder {
  /** All voters that are left. */
  readonly voters: readonly NodeId[];
  /** The names of those who are given up, in order, with a space between: typed by a person. */
  readonly confirm: string;
  /** Who wants it, for others to read. */
  readonly by: string;
}

export type ForcingOutcome =
  | {
      readonly ok: true;
      /** Of the version that was forced. */
      readonly epoch: number;
      /** Who has no vote any more. */
      readonly lost: readonly NodeId[];
    }
  | TopologyFailure;

/** Why voters are not given up; `undefined` if it can be done, by all who are named. */
export function problemWithForcing(
  { voters: named, confirm }: ForcingOrder,
  { voters, answering }: VotersNow,
): string | undefined {
  if (answering.length * 2 > voters.length) {
    const most = `${answering.length} of ${voters.length}`;
    return `${most} voters answer (${answering.join(", ")}): they can change the cluster as usual`;
  }
  const stranger = named.find((id) => !voters.includes(id));
  if (stranger !== undefined) {
    return `${stranger} has no vote now; those who have are ${voters.join(", ")}`;
  }
  const forgotten = answering.find((id) => !named.includes(id));
  if (forgotten !== undefined) return `${forgotten} votes and answers: name it as well`;
  const silent = named.find((id) => !answering.includes(id));
  if (silent !== undefined) return `${silent} does not answer: all who are named have to agree`;
  if (named.length === 0) return "no voter is left to agree on anything";
  const lost = voters.filter((id) => !named.includes(id)).join(" ");
  if (confirm === lost) return undefined;
  return `${lost} lose their votes for good: confirm it with just these names, "${lost}"`;
}
