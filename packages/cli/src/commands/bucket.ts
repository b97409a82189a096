import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, type BucketView, type ClusterView } from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import { scanPage } from "../http/scan-page.ts";
import { table } from "../table.ts";

/** Options of `coterie bucket show`. */
export interface BucketOptions extends NodeOptions {
  readonly count?: boolean;
}

const columns = ["BUCKET", "POLICY", "N", "R", "W", "PR", "PW", "STALE READS"];

/** `coterie bucket list`: the buckets of the cluster and their settings. */
export function listBuckets(options: NodeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const { buckets } = (await fetchJson(pool, "bucket list", "/v1/cluster")) as ClusterView;
    if (options.json === true) await terminal.data(`${JSON.stringify(buckets)}\n`);
    else await terminal.data(table(columns, buckets.map(rowOf)));
    return exitCodes.ok;
  });
}

/** `coterie bucket show NAME`: one bucket's settings, and with `--count` how many keys it has. */
export function showBucket(name: string, options: BucketOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const what = `bucket show ${name}`;
    const bucket = (await fetchJson(pool, what, `/v1/buckets/${name}`)) as BucketView;
    const keys = options.count === true ? await countKeys(pool, name) : undefined;
    if (options.json === true) {
      const shown = { ...bucket, ...(keys !== undefined && { keys }) };
      await terminal.data(`${JSON.stringify(shown)}\n`);
      return exitCodes.ok;
    }
    await terminal.data(table(columns, [rowOf(bucket)]));
    if (keys !== undefined) terminal.say(keys === 1 ? "1 key" : `${keys} keys`);
    return exitCodes.ok;
  });
}

/** `coterie bucket create NAME`: refused, with what works today. */
export function createBucket(name: string): never {
  throw new CliFailure(
    exitCodes.usage,
    `not-yet: a formed cluster takes no new buckets, so ${name} cannot be created now`,
    "name it under buckets in the configuration of every node before the cluster forms; for one " +
      "that has formed: coterie export, a new cluster with that configuration, coterie import",
  );
}

async function countKeys(pool: NodePool, bucket: string): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await scanPage(pool, { bucket, limit: 1000, cursor });
    count += page.items.length;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return count;
}

function rowOf(bucket: BucketView): readonly (string | number)[] {
  const { name, policy, n, r, w, pr, pw, allowStale } = bucket;
  return [name, policy, n, r, w, pr, pw, allowStale ? "allowed" : "no"];
}
