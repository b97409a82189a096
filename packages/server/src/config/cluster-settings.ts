import { type ClusterSettings, checkBucket, defaultBuckets, wholeBucket } from "@coterie/core";
import type { ServerConfig } from "./server-config.ts";

export type SettingsOutcome =
  | { readonly ok: true; readonly settings: ClusterSettings }
  | { readonly ok: false; readonly message: string };

/** What all members of the cluster must share, from one node's configuration. */
export function clusterSettingsOf(config: ServerConfig): SettingsOutcome {
  // With fewer nodes than copies, a bucket's default n is what there is room for.
  const nodes = Math.max(1, new Set([...config.bootstrap, config.peer]).size);
  const nMax = Math.min(config.nMax, nodes);
  const buckets = new Map(defaultBuckets(nMax).map((bucket) => [bucket.name, bucket]));
  for (const [name, given] of Object.entries(config.buckets)) {
    const bucket = wholeBucket(name, given, nMax);
    const checked = checkBucket(bucket, nMax);
    if (!checked.ok) return checked;
    buckets.set(name, bucket);
  }
  const shown = buckets.get(config.respBucket);
  if (shown?.policy !== "lww") {
    const found = shown === undefined ? "there is no such bucket" : "its policy is siblings";
    const wanted = `respBucket = ${config.respBucket}: Redis clients need a bucket of policy lww`;
    return { ok: false, message: `${wanted}, and ${found}` };
  }
  const sorted = [...buckets.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    ok: true,
    settings: { partitions: config.partitions, hash: config.hash, nMax, buckets: sorted },
  };
}
