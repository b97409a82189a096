/** How a node watches the others. Times in milliseconds. */
export interface MembershipSettings {
  /** Between two ticks, as far as the clock keeps to it. */
  readonly tickMs: number;
  /** Between two probes that one member begins, while it is healthy itself. */
  readonly probeIntervalMs: number;
  /** How long a direct answer is waited for, within which the round trip decides. */
  readonly pingTimeoutMsMin: number;
  readonly pingTimeoutMsMax: number;
  /** When a probe has failed, answers by way of others included. */
  readonly probeTimeoutMs: number;
  /** Whom to ask for a second opinion (k in the papers). */
  readonly indirectProbes: number;
  /**
   * How long a suspect of a cluster of ten may take to refute when enough others confirm the
   * suspicion; in larger clusters longer, with the logarithm of their size.
   */
  readonly suspicionMs: number;
  /** How many times longer it may take while nobody confirms. */
  readonly suspicionFactorMax: number;
  /** Between two rounds of gossip, while there is something to tell. */
  readonly gossipIntervalMs: number;
  /** Members told in one round. */
  readonly gossipFanout: number;
  /**
   * Each piece of news is sent this many times the natural logarithm of the cluster's size. With
   * x of them, n members and no loss, n^(1-x) members on average hear nothing.
   */
  readonly retransmissions: number;
  /** Bytes of news in one message. */
  readonly newsBytesMax: number;
  /** Between two comparisons of the table with a random member: from one to the other. */
  readonly compareMsMin: number;
  readonly compareMsMax: number;
  /** Between two pings to a member that is dead or has left. */
  readonly revivalMs: number;
  /** A tick that is later than this means that this process stood still. */
  readonly stallMs: number;
}

/**
 * Each member is probed 2.5 times a second, by whoever comes to it: at a thousand members a dead
 * one is first probed after 0.4 s on average and after 1.8 s in 99 of 100 cases, and a probe fails
 * after 0.8 s. So it is suspected between 0.8 and 2.7 s. SWIM's own interval of 1 s would leave
 * 13 of 100 deaths unnoticed after 3 s.
 */
export const membershipDefaults: MembershipSettings = {
  tickMs: 100,
  probeIntervalMs: 400,
  pingTimeoutMsMin: 150,
  pingTimeoutMsMax: 400,
  probeTimeoutMs: 800,
  indirectProbes: 3,
  suspicionMs: 4000,
  suspicionFactorMax: 6,
  gossipIntervalMs: 200,
  gossipFanout: 3,
  retransmissions: 3,
  newsBytesMax: 1000,
  compareMsMin: 10_000,
  compareMsMax: 30_000,
  revivalMs: 2000,
  stallMs: 200,
};

/** With other intervals, from which the times of a probe and of a round of gossip follow. */
export function membershipSettings(
  probeIntervalMs: number,
  suspicionMs: number,
): MembershipSettings {
  return {
    ...membershipDefaults,
    tickMs: probeIntervalMs / 4,
    probeIntervalMs,
    pingTimeoutMsMin: Math.min(membershipDefaults.pingTimeoutMsMin, probeIntervalMs),
    pingTimeoutMsMax: probeIntervalMs,
    probeTimeoutMs: probeIntervalMs * 2,
    suspicionMs,
    gossipIntervalMs: probeIntervalMs / 2,
    stallMs: probeIntervalMs / 2,
  };
}

/** The logarithm that times grow with: 1 up to ten members, 3 at a thousand. */
export function growth(members: number): number {
  return Math.max(1, Math.log10(members));
}
