import { isBucketName } from "../key.ts";
import { limits } from "../limits.ts";
import type { BucketSettings, RequestMode } from "./cluster-document.ts";

/** How many replicas a request needs: in all, and of them primaries. */
export interface Quorum {
  readonly r: number;
  readonly w: number;
  readonly pr: number;
  readonly pw: number;
}

export type ResolvedQuorum =
  | ({ readonly ok: true } & Quorum)
  | { readonly ok: false; readonly message: string };

export type BucketCheck = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** The buckets that exist without configuration: `default`, and `redis` for the Redis door. */
export function defaultBuckets(nMax: number): readonly BucketSettings[] {
  return [wholeBucket("default", {}, nMax), wholeBucket("redis", { policy: "lww" }, nMax)];
}

/** What is said of a bucket; what is left out follows from n and from the cluster. */
export type GivenBucket = {
  readonly [setting in Exclude<keyof BucketSettings, "name">]?: BucketSettings[setting] | undefined;
};

/** A bucket's settings in full: three copies if there is room, read and written by majority. */
export function wholeBucket(name: string, given: GivenBucket, nMax: number): BucketSettings {
  const { policy = "siblings", n = Math.min(3, nMax), pr = 0, pw = 0 } = given;
  const { allowStale = false, mode = "sloppy" } = given;
  const majority = Math.floor(n / 2) + 1;
  const { r = majority, w = majority } = given;
  const bucket = { name, policy, n, r, w, pr, pw, allowStale, mode };
  // Said to be 0, it is none: so that a change can take it away.
  return given.ttlMs === undefined || given.ttlMs === 0
    ? bucket
    : { ...bucket, ttlMs: given.ttlMs };
}

/**
 * Checks a bucket's settings. Defaults with r + w ≤ n are refused unless the bucket says
 * `allowStale`: under them a read may miss the last acknowledged write.
 */
export function checkBucket(bucket: BucketSettings, nMax: number): BucketCheck {
  const refuse = (message: string): BucketCheck => ({
    ok: false,
    message: `bucket ${bucket.name}: ${message}`,
  });
  const { n, r, w, pr, pw } = bucket;
  if (!isBucketName(bucket.name)) return refuse("a bucket's name matches [a-z0-9._-]{1,64}");
  if (!isWithin(n, 1, nMax)) return refuse(`n is an integer from 1 to ${nMax}, not ${n}`);
  for (const [name, value, least] of [
    ["r", r, 1],
    ["w", w, 1],
    ["pr", pr, 0],
    ["pw", pw, 0],
  ] as const) {
    if (!isWithin(value, least, n)) {
      return refuse(`${name} is an integer from ${least} to n = ${n}, not ${value}`);
    }
  }
  if (bucket.ttlMs !== undefined && !isWithin(bucket.ttlMs, 1, limits.ttlMsMax)) {
    return refuse(`ttlMs is an integer from 1 to ${limits.ttlMsMax}, not ${bucket.ttlMs}`);
  }
  if (r + w <= n && !bucket.allowStale) {
    return refuse(
      `r + w = ${r + w} does not exceed n = ${n}, so reads may miss acknowledged writes; ` +
        "raise r or w, or set allowStale",
    );
  }
  return { ok: true };
}

/** The quorum of one request: what it asks for, and the bucket's defaults for the rest. */
export function resolveQuorum(
  bucket: BucketSettings,
  options: {
    readonly r?: number | undefined;
    readonly w?: number | undefined;
    readonly pr?: number | undefined;
    readonly pw?: number | undefined;
  },
): ResolvedQuorum {
  const { r = bucket.r, w = bucket.w, pr = bucket.pr, pw = bucket.pw } = options;
  const problem =
    quorumProblem("r", r, 1, bucket) ??
    quorumProblem("w", w, 1, bucket) ??
    quorumProblem("pr", pr, 0, bucket) ??
    quorumProblem("pw", pw, 0, bucket);
  return problem === undefined ? { ok: true, r, w, pr, pw } : { ok: false, message: problem };
}

function quorumProblem(
  name: string,
  value: number,
  least: number,
  { n }: BucketSettings,
): string | undefined {
  if (isWithin(value, least, n)) return undefined;
  return `${name} is an integer from ${least} to n = ${n}, not ${value}`;
}

/** The mode of one request: what it asks for, or the bucket's. */
export function resolveMode(
  { mode }: BucketSettings,
  { strict }: { readonly strict?: boolean | undefined },
): RequestMode {
  if (strict === undefined) return mode;
  return strict ? "strict" : "sloppy";
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
