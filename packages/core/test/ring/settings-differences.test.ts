import { describe, expect, it } from "vitest";
import { defaultBuckets } from "../../src/ring/bucket.ts";
import type { ClusterSettings } from "../../src/ring/cluster-document.ts";
import { settingsDifferences } from "../../src/ring/settings-differences.ts";

const formed: ClusterSettings = { partitions: 8, hash: "md5", nMax: 3, buckets: defaultBuckets(3) };
const [usual, redis] = formed.buckets as readonly [
  ClusterSettings["buckets"][number],
  ClusterSettings["buckets"][number],
];

describe("differences between settings", () => {
  it("there are none between equal ones, in whatever order", () => {
    const turned = { ...formed, buckets: [redis, { ...usual }] };
    expect(settingsDifferences(formed, turned)).toEqual([]);
  });

  it.each<[string, ClusterSettings, readonly string[]]>([
    [
      "numbers",
      { ...formed, partitions: 16, hash: "redis-slots", nMax: 1 },
      [
        "partitions is 8 in the cluster and 16 here",
        "hash is md5 in the cluster and redis-slots here",
        "nMax is 3 in the cluster and 1 here",
      ],
    ],
    [
      "a bucket more",
      { ...formed, buckets: [...formed.buckets, { ...usual, name: "carts" }] },
      ["bucket carts is configured here and not in the cluster"],
    ],
    [
      "a bucket less",
      { ...formed, buckets: [usual] },
      ["bucket redis is in the cluster and not configured here"],
    ],
    [
      "a bucket's settings",
      { ...formed, buckets: [{ ...usual, w: 3, allowStale: true }, redis] },
      [
        "bucket default has w 2 in the cluster and 3 here",
        "bucket default has allowStale false in the cluster and true here",
      ],
    ],
  ])("%s", (_, configured, differences) => {
    expect(settingsDifferences(formed, configured)).toEqual(differences);
  });
});
