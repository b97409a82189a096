import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkBucket, defaultBuckets, resolveMode, resolveQuorum } from "../../src/ring/bucket.ts";
import type { BucketSettings } from "../../src/ring/cluster-document.ts";

function bucketOf(changes: Partial<BucketSettings> = {}): BucketSettings {
  return {
    name: "carts",
    policy: "siblings",
    n: 3,
    r: 2,
    w: 2,
    pr: 0,
    pw: 0,
    allowStale: false,
    mode: "strict",
    ...changes,
  };
}

it.each([
  ["strict", undefined, "strict"],
  ["sloppy", undefined, "sloppy"],
  ["strict", false, "sloppy"],
  ["sloppy", true, "strict"],
] as const)("a request to a %s bucket that says strict=%s is %s", (mode, strict, resolved) => {
  expect(resolveMode(bucketOf({ mode }), { strict })).toBe(resolved);
});

it("behaviour 20: (differs) defaults with r + w ≤ n are refused unless allowed", () => {
  const refused = checkBucket(bucketOf({ r: 1, w: 2 }), 3);
  expect(refused).toEqual({
    ok: false,
    message:
      "bucket carts: r + w = 3 does not exceed n = 3, so reads may miss acknowledged writes; " +
      "raise r or w, or set allowStale",
  });
  expect(checkBucket(bucketOf({ r: 1, w: 2, allowStale: true }), 3)).toEqual({ ok: true });
  expect(resolveQuorum(bucketOf(), { r: 1, w: 1 })).toMatchObject({ ok: true, r: 1, w: 1 });
});

describe("a bucket is refused with", () => {
  it.each<[string, Partial<BucketSettings>, string]>([
    ["no name", { name: "" }, "name matches"],
    ["a name in capitals", { name: "Carts" }, "name matches"],
    ["n = 0", { n: 0 }, "n is an integer from 1 to 3, not 0"],
    ["n beyond n_max", { n: 4 }, "n is an integer from 1 to 3, not 4"],
    ["a fraction for n", { n: 2.5 }, "n is an integer from 1 to 3, not 2.5"],
    ["r = 0", { r: 0 }, "r is an integer from 1 to n = 3, not 0"],
    ["r beyond n", { r: 4 }, "r is an integer from 1 to n = 3, not 4"],
    ["w = 0", { w: 0 }, "w is an integer from 1 to n = 3, not 0"],
    ["w that is no number", { w: Number.NaN }, "w is an integer from 1 to n = 3, not NaN"],
    ["pr below 0", { pr: -1 }, "pr is an integer from 0 to n = 3, not -1"],
    ["pw beyond n", { pw: 4 }, "pw is an integer from 0 to n = 3, not 4"],
  ])("%s", (_, changes, message) => {
    const checked = checkBucket(bucketOf(changes), 3);
    expect(checked.ok ? "" : checked.message).toContain(message);
  });
});

it.each([
  [1, 1, 1],
  [2, 2, 2],
  [3, 3, 2],
  [5, 3, 2],
])(
  "with n_max %i the buckets that need no configuration have n %i and majorities of %i",
  (nMax, n, majority) => {
    const buckets = defaultBuckets(nMax);
    expect(buckets.map(({ name, policy }) => [name, policy])).toEqual([
      ["default", "siblings"],
      ["redis", "lww"],
    ]);
    for (const bucket of buckets) {
      expect(bucket).toMatchObject({ n, r: majority, w: majority, pr: 0, pw: 0 });
      expect(checkBucket(bucket, nMax)).toEqual({ ok: true });
    }
  },
);

it("takes from the bucket what a request leaves out", () => {
  const quorum = resolveQuorum(bucketOf({ pr: 1 }), { w: 3, pw: undefined });
  expect(quorum).toEqual({ ok: true, r: 2, w: 3, pr: 1, pw: 0 });
});

it("lets a request choose any quorum from 1 to n, and none beyond", () => {
  const part = fc.oneof(fc.integer({ min: -2, max: 7 }), fc.constantFrom(0.5, Number.NaN));
  const options = fc.record({ r: part, w: part, pr: part, pw: part });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), options, (n, { r, w, pr, pw }) => {
      const isWithin = (value: number, least: number): boolean =>
        Number.isInteger(value) && value >= least && value <= n;
      const isAllowed = isWithin(r, 1) && isWithin(w, 1) && isWithin(pr, 0) && isWithin(pw, 0);
      const bucket = bucketOf({ n, r: n, w: n });
      expect(resolveQuorum(bucket, { r, w, pr, pw }).ok).toBe(isAllowed);
    }),
    { numRuns: 1000 },
  );
});
