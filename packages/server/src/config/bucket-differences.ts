import {
  type BucketSettings,
  type ClusterDocument,
  type ClusterSettings,
  differingSettings,
} from "@coterie/core";
import type { ServerConfig } from "./server-config.ts";

export interface BucketDifference {
  readonly bucket: string;
  /** What differs, and the command that ends the difference. */
  readonly reason: string;
}

/**
 * Where a node's configuration and its cluster say something else of a bucket. The configuration
 * made the buckets that the cluster formed with; since then the cluster's document counts.
 */
export function bucketDifferences(
  config: ServerConfig,
  settings: ClusterSettings,
  document: ClusterDocument,
): readonly BucketDifference[] {
  const configured = settings.buckets.filter(({ name }) => Object.hasOwn(config.buckets, name));
  return configured.flatMap((bucket) => {
    const agreed = document.settings.buckets.find(({ name }) => name === bucket.name);
    const reason = agreed === undefined ? missing(bucket) : differing(agreed, bucket);
    return reason === undefined ? [] : [{ bucket: bucket.name, reason }];
  });
}

function missing({ name, policy, n, r, w, mode, ttlMs }: BucketSettings): string {
  const ttl = ttlMs === undefined ? "" : ` --ttl ${ttlMs}ms`;
  const quorum = `--n ${n} --r ${r} --w ${w} --mode ${mode}`;
  return (
    `bucket ${name} is configured here and not in the cluster, which has formed: ` +
    `coterie bucket create ${name} --policy ${policy} ${quorum}${ttl}`
  );
}

function differing(agreed: BucketSettings, configured: BucketSettings): string | undefined {
  const settings = differingSettings(agreed, configured);
  if (settings.length === 0) return undefined;
  const each = settings.map((setting) => {
    const [there, here] = [agreed[setting] ?? "none", configured[setting] ?? "none"];
    return `${setting} ${there} in the cluster and ${here} here`;
  });
  return (
    `bucket ${agreed.name} has ${each.join(", ")}; the cluster's counts: change it with ` +
    `coterie bucket set ${agreed.name}, or the configuration`
  );
}
