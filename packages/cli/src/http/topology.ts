/** A member in the answer of `GET /v1/topology`. */
export interface TopologyMemberView {
  readonly id: string;
  readonly address: string;
  /** `host:port`; empty if it has no HTTP door. */
  readonly http: string;
  readonly host: string;
  readonly zone: string;
  readonly weight: number;
  readonly state: string;
  readonly departure: "leaving" | "removed" | null;
  readonly vote: "yes" | "no" | "forfeited";
  readonly copies: number;
  readonly copiesAfter: number;
  readonly awaits: number;
  readonly leftovers: number;
}

/** A node that offers itself and is no member. */
export interface OfferView {
  readonly id: string;
  readonly address: string;
  readonly http: string;
  readonly host: string;
  readonly zone: string;
  readonly weight: number;
  readonly ageMs: number;
}

/** `GET /v1/topology`. */
export interface TopologyView {
  readonly node: string;
  readonly clusterId: string;
  readonly epoch: number;
  readonly members: readonly TopologyMemberView[];
  readonly offers: readonly OfferView[];
  readonly moves: number;
  readonly leftovers: number;
  readonly paused: boolean;
  /** Versions that were made without a majority of the voters. */
  readonly forcings: readonly {
    readonly epoch: number;
    readonly voters: readonly string[];
    readonly lost: readonly string[];
    readonly by: string;
    readonly atMs: number;
  }[];
  /** How far the node that answered is itself. */
  readonly own: OwnMoves | null;
}

/** How far one node is with what it gets and drops. */
export interface OwnMoves {
  readonly awaited: number;
  readonly leftover: number;
  readonly exchanges: number;
  readonly exchangesDone: number;
  readonly keysPerSecond: number;
  readonly etaMs: number | null;
  readonly problems: readonly {
    readonly peer: string;
    readonly problem: string;
    readonly partitions: number;
  }[];
}

/** `POST /v1/plan`. */
export interface PlanView {
  readonly hash: string;
  readonly epoch: number;
  readonly partitions: number;
  readonly copies: number;
  readonly bytes: number | null;
  readonly durationMsMin: number | null;
  readonly members: readonly {
    readonly id: string;
    readonly before: number;
    readonly after: number;
    readonly gets: number;
    readonly bytes: number | null;
  }[];
  readonly risks: readonly {
    readonly living: number;
    readonly wanted: number;
    readonly partitions: number;
  }[];
  readonly sharingHosts: number;
  readonly sharingZones: number;
  readonly short: number;
  readonly removed: readonly string[];
  readonly waitsFor: readonly {
    readonly id: string;
    readonly state: string;
    readonly partitions: number;
  }[];
}

/** What a plan is asked for: the body of `POST /v1/plan`. */
export interface MembersChange {
  readonly join?: readonly string[];
  readonly leave?: readonly string[];
  readonly remove?: readonly string[];
  readonly replace?: readonly {
    readonly id: string;
    readonly by: string;
    readonly dead?: boolean;
  }[];
  readonly set?: readonly {
    readonly id: string;
    readonly weight?: number;
    readonly zone?: string;
    readonly host?: string;
  }[];
}

/** The answer to `POST /v1/force-voters`. */
export interface VotersForcedView {
  readonly epoch: number;
  readonly lost: readonly string[];
}

/** The answer to `POST /v1/commit`, `POST /v1/abort`, `POST /v1/pause` and `POST /v1/resume`. */
export interface CommittedView {
  readonly epoch: number;
  readonly partitions: number;
}
