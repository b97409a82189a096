import type { LinkOptions } from "./link-options.ts";

/** How much a client repeats, and how. */
export interface RetryOptions {
  /** Repeated attempts, as a share of all operations; 0.1 to 0.2 is usual. */
  readonly ratio: number;
  /** Attempts that a quiet client may repeat at once. */
  readonly burst: number;
  /** The pause before the first retry, at most; doubled by each further one. */
  readonly backoffMs: number;
  readonly backoffMsMax: number;
}

export const defaultRetryOptions: RetryOptions = {
  ratio: 0.2,
  burst: 100,
  backoffMs: 10,
  backoffMsMax: 250,
};

/** How many reads are also sent to a second node when the first one is slow. */
export interface HedgeOptions {
  /** As a share of all reads. */
  readonly ratio: number;
  readonly burst: number;
}

export const defaultHedgeOptions: HedgeOptions = { ratio: 0.05, burst: 10 };

export interface EngineOptions {
  readonly retries: RetryOptions;
  readonly hedges: HedgeOptions;
  readonly links: LinkOptions;
}

/** Retries in a second that no budget denies: how it is found out that a cluster is well again. */
export const retriesPerSecond = 10;
/** Operations that wait for budget at once, as many as a batch has in flight; others fail. */
export const unpaidMax = 1024;

/** How often the layout is asked for anew while the client is in use. */
export const layoutMsMax = 30_000;
/** And how often at most, whatever happens. */
export const layoutMsMin = 500;
/** For how long a node that said that it does not serve is avoided. */
export const avoidMs = 1000;
/** Deadlines, hedges and retries come at most this late. */
export const sweepMsMin = 2;
/** Of a call's time, what an attempt may take before another one is sent beside it. */
export const patienceShare: number = 1 / 3;
export const patienceMsMin = 50;
/** What is looked at so much later than planned tells of this process, not of a node. */
export const lateMs = 30;
/** Attempts of one call in flight at once. */
export const inFlightMax = 3;
