import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import {
  fetchJson,
  jsonOf,
  type BucketView,
  type ChangedBucketView,
  type ClusterView,
} from "../http/cluster.ts";
import type { Exchange } from "../http/exchange.ts";
import { failureOf } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";
import { scanPage } from "../http/scan-page.ts";
import { table } from "../table.ts";

/** A node tries for 5 seconds to have a change agreed. */
const changeMsMax = 10_000;

/** Options of `coterie bucket show`. */
export interface BucketOptions extends NodeOptions {
  readonly count?: boolean;
}

const columns = ["BUCKET", "POLICY", "N", "R", "W", "PR", "PW", "MODE", "STALE READS", "TTL"];

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

/** Options of `coterie bucket create` and `coterie bucket set`. */
export interface BucketSettingOptions extends NodeOptions {
  readonly policy?: string;
  readonly n?: number;
  readonly r?: number;
  readonly w?: number;
  readonly pr?: number;
  readonly pw?: number;
  readonly allowStale?: boolean;
  readonly mode?: string;
  /** In milliseconds; 0 for none. */
  readonly ttl?: number;
}

/** `coterie bucket create NAME`: refused if it exists with other settings. */
export function createBucket(name: string, options: BucketSettingOptions): Promise<ExitCode> {
  return changeBucket(`bucket create ${name}`, options, {
    method: "PUT",
    path: `/v1/buckets/${name}`,
    headers: { "if-none-match": "*" },
  });
}

/** `coterie bucket set NAME`: what is given changes, the rest stays. */
export function setBucket(name: string, options: BucketSettingOptions): Promise<ExitCode> {
  if (Object.keys(settingsOf(options)).length === 0) {
    throw new CliFailure(
      exitCodes.usage,
      "bucket set changes nothing: no setting was given",
      "such as --r 1 --w 3; coterie bucket set --help lists them",
    );
  }
  const request = { method: "PATCH", path: `/v1/buckets/${name}` } as const;
  return changeBucket(`bucket set ${name}`, options, request);
}

function changeBucket(
  what: string,
  options: BucketSettingOptions,
  request: Exchange,
): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const body = Buffer.from(JSON.stringify(settingsOf(options)));
    const headers = { ...request.headers, "content-type": "application/json" };
    const reply = await pool.send(what, { ...request, headers, body }, changeMsMax);
    if (reply.status >= 300) throw failureOf(what, reply);
    const { result, epoch, ...bucket } = jsonOf(what, reply) as ChangedBucketView;
    if (options.json === true) {
      await terminal.data(`${JSON.stringify({ ...bucket, result, epoch })}\n`);
      return exitCodes.ok;
    }
    await terminal.data(table(columns, [rowOf(bucket)]));
    terminal.say(`${result}; the cluster document has epoch ${epoch}`);
    return exitCodes.ok;
  });
}

function settingsOf(options: BucketSettingOptions): Readonly<Record<string, unknown>> {
  const { policy, n, r, w, pr, pw, allowStale, mode, ttl } = options;
  const given = Object.entries({ policy, n, r, w, pr, pw, allowStale, mode, ttlMs: ttl });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
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
  const { name, policy, n, r, w, pr, pw, allowStale, mode = "strict", ttlMs } = bucket;
  const stale = allowStale ? "allowed" : "no";
  const lives = ttlMs === undefined ? "none" : `${ttlMs} ms`;
  return [name, policy, n, r, w, pr, pw, mode, stale, lives];
}
