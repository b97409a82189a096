import type { BucketSettings, ClusterSettings } from "./cluster-document.ts";

const bucketFields = ["policy", "n", "r", "w", "pr", "pw", "allowStale"] as const;

/**
 * What differs between the settings a cluster goes by and those of one node's configuration, each
 * as a sentence's part for its operator; empty if they are the same.
 */
export function settingsDifferences(
  formed: ClusterSettings,
  configured: ClusterSettings,
): readonly string[] {
  const differences: string[] = [];
  for (const name of ["partitions", "hash", "nMax"] as const) {
    if (formed[name] === configured[name]) continue;
    differences.push(`${name} is ${formed[name]} in the cluster and ${configured[name]} here`);
  }
  for (const bucket of formed.buckets) {
    const here = configured.buckets.find(({ name }) => name === bucket.name);
    differences.push(...bucketDifferences(bucket, here));
  }
  for (const { name } of configured.buckets) {
    if (formed.buckets.some((bucket) => bucket.name === name)) continue;
    differences.push(`bucket ${name} is configured here and not in the cluster`);
  }
  return differences;
}

function bucketDifferences(
  formed: BucketSettings,
  here: BucketSettings | undefined,
): readonly string[] {
  const { name } = formed;
  if (here === undefined) return [`bucket ${name} is in the cluster and not configured here`];
  return bucketFields
    .filter((field) => formed[field] !== here[field])
    .map((field) => {
      return `bucket ${name} has ${field} ${formed[field]} in the cluster and ${here[field]} here`;
    });
}
