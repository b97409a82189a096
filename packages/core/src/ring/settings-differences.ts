import type { BucketSettings, ClusterSettings } from "./cluster-document.ts";

/** What of a bucket's settings may differ, in the order in which it is said. */
const bucketFields = ["policy", "n", "r", "w", "pr", "pw", "allowStale", "mode", "ttlMs"] as const;

/**
 * What differs between the settings that cannot change once a cluster has formed and those of one
 * node's configuration, each as a sentence's part for its operator; empty if they are the same.
 */
export function settingsDifferences(
  formed: ClusterSettings,
  configured: ClusterSettings,
): readonly string[] {
  return differencesIn(["partitions", "hash", "nMax"], formed, configured);
}

/** Likewise, of what shapes a directory: the cluster's other settings hold whatever a node says. */
export function directoryDifferences(
  formed: ClusterSettings,
  configured: ClusterSettings,
): readonly string[] {
  return differencesIn(["partitions", "hash"], formed, configured);
}

function differencesIn(
  names: readonly ("partitions" | "hash" | "nMax")[],
  formed: ClusterSettings,
  configured: ClusterSettings,
): readonly string[] {
  return names
    .filter((name) => formed[name] !== configured[name])
    .map((name) => `${name} is ${formed[name]} in the cluster and ${configured[name]} here`);
}

/** The settings in which two buckets of one name differ; none if they are equal. */
export function differingSettings(
  left: BucketSettings,
  right: BucketSettings,
): readonly (typeof bucketFields)[number][] {
  return bucketFields.filter((field) => left[field] !== right[field]);
}
