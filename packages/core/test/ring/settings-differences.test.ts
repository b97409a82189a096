import { describe, expect, it } from "vitest";
import { defaultBuckets } from "../../src/ring/bucket.ts";
import type { ClusterSettings } from "../../src/ring/cluster-document.ts";
import {
  differingSettings,
  directoryDifferences,
  settingsDifferences,
} from "../../src/ring/settings-differences.ts";

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
    ["buckets, which may differ", { ...formed, buckets: [{ ...usual, w: 3 }] }, []],
  ])("%s", (_, configured, differences) => {
    expect(settingsDifferences(formed, configured)).toEqual(differences);
    const shaping = differences.filter((it) => !it.startsWith("nMax"));
    expect(directoryDifferences(formed, configured)).toEqual(shaping);
  });

  it("of two buckets are named", () => {
    expect(differingSettings(usual, { ...usual })).toEqual([]);
    const other = { ...usual, policy: "lww", w: 3, allowStale: true } as const;
    expect(differingSettings(usual, other)).toEqual(["policy", "w", "allowStale"]);
  });
});
