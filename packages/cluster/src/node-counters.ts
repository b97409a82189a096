import type { ErrorCode } from "@coterie/core";

/** Siblings that gets of one bucket met: how many of them up to each bound, and more. */
export interface SiblingCounts {
  readonly counts: number[];
  sum: number;
}

/** Upper bounds by which {@link SiblingCounts} are kept. */
export const siblingBounds: readonly number[] = [0, 1, 2, 3, 5, 10, 25, 50, 100];

/** What a node counts of its requests since it started. */
export interface NodeCounters {
  puts: number;
  /** Bytes of their values. */
  putBytes: number;
  gets: number;
  /** Of these, the ones that took the answer of a read that was begun for another. */
  getsJoined: number;
  /** Of these, the ones answered with what an earlier read had found, as they allowed. */
  getsStale: number;
  deletes: number;
  /** Records that were not sent to another node, as a later one of their key said all of them. */
  writesJoined: number;
  /** Client requests that failed, each counted once, by code. */
  readonly failures: Map<ErrorCode, number>;
  /** Requests passed on to a primary. */
  forwards: number;
  quorumFailures: number;
  timeouts: number;
  overloads: number;
  /** Hedges: further replicas asked because those asked first were silent. */
  hedgedReads: number;
  /** Hedges whose answer was one of those that a read waited for. */
  hedgesWon: number;
  /** Times that a read waited on, because too many had hedged or this process was late itself. */
  hedgesSuppressed: number;
  /** Reads that were also sent to a replica avoided for its slowness, to see how it is. */
  readProbes: number;
  /** Reads that asked one more replica at once, as their own copy waited for this node's disk. */
  readsPastOwn: number;
  /** Records that a replica did not send to a read, as the same one was at hand. */
  recordsSpared: number;
  /** Records of hot keys that were kept at this node, which holds no copy of them. */
  copiesKept: number;
  /** Reads that asked twice, as a record that was spared was one that nobody had sent. */
  versionsDiffered: number;
  /** Records written to a replica because a read found it behind. */
  readRepairs: number;
  /** Values dropped because their time was up: by the sweep, or when their record was rewritten. */
  expiredSiblings: number;
  /** By bucket. */
  readonly siblings: Map<string, SiblingCounts>;
  /** Reads that returned more than one sibling. */
  siblingsReturned: number;
  /** The most siblings any read met. */
  siblingsMax: number;
  /** Reads that met a key over one of the warning limits. */
  siblingWarnings: number;
  peerRequestsServed: number;
  /** Of these, the ones for one key's copy here: what requests of clients come to. */
  copiesAsked: number;
  staleEpochs: number;
  /** Members that got another directory in the place of one that was lost. */
  directoriesReplaced: number;
}

export function newNodeCounters(): NodeCounters {
  return {
    puts: 0,
    putBytes: 0,
    gets: 0,
    getsJoined: 0,
    getsStale: 0,
    deletes: 0,
    writesJoined: 0,
    failures: new Map(),
    forwards: 0,
    quorumFailures: 0,
    timeouts: 0,
    overloads: 0,
    hedgedReads: 0,
    hedgesWon: 0,
    hedgesSuppressed: 0,
    readProbes: 0,
    readsPastOwn: 0,
    recordsSpared: 0,
    copiesKept: 0,
    versionsDiffered: 0,
    readRepairs: 0,
    expiredSiblings: 0,
    siblings: new Map(),
    siblingsReturned: 0,
    siblingsMax: 0,
    siblingWarnings: 0,
    peerRequestsServed: 0,
    copiesAsked: 0,
    staleEpochs: 0,
    directoriesReplaced: 0,
  };
}

/** Counts what one get met. */
export function countSiblings(
  { siblings }: Pick<NodeCounters, "siblings">,
  bucket: string,
  count: number,
): void {
  let counted = siblings.get(bucket);
  if (counted === undefined) {
    counted = { counts: Array.from({ length: siblingBounds.length + 1 }, () => 0), sum: 0 };
    siblings.set(bucket, counted);
  }
  let at = 0;
  while (at < siblingBounds.length && count > (siblingBounds[at] as number)) at += 1;
  counted.counts[at] = (counted.counts[at] as number) + 1;
  counted.sum += count;
}
