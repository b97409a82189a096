import { CliFailure, exitCodes } from "../exit.ts";
import { DEFAULT_TIMEOUT_MS } from "./bucket-client.ts";
import { failureOf } from "./failure.ts";
import { keySegment } from "./keys.ts";
import type { NodePool } from "./node-pool.ts";

/** A key as a scan lists it. */
export interface ScannedKey {
  /** base64url. */
  readonly key: string;
  readonly context: string | null;
  readonly siblings: number;
  /** Of all its values together. */
  readonly bytes: number;
}

export interface ScanPage {
  readonly items: readonly ScannedKey[];
  /** Where the next page begins; `null` after the last one. */
  readonly cursor: string | null;
}

export interface ScanRequest {
  readonly bucket: string;
  /** Keys per page. */
  readonly limit: number;
  readonly prefix?: string | undefined;
  readonly cursor?: string | undefined;
  readonly tombstones?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
}

/** One page of a scan; a page that is cut off is an error. */
export async function scanPage(pool: NodePool, request: ScanRequest): Promise<ScanPage> {
  const { bucket, limit, prefix, cursor, tombstones, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
  const query = [
    `limit=${limit}`,
    ...(prefix === undefined ? [] : [`prefix=${keySegment(Buffer.from(prefix, "utf8"))}`]),
    ...(cursor === undefined ? [] : [`cursor=${cursor}`]),
    ...(tombstones === true ? ["tombstones=true"] : []),
  ];
  const path = `/v1/buckets/${bucket}/keys?${query.join("&")}`;
  const what = `scan of ${bucket}`;
  const reply = await pool.send(what, { method: "GET", path }, timeoutMs);
  if (reply.status !== 200) throw failureOf(what, reply);
  const lines = reply.body.toString("utf8").trim().split("\n");
  try {
    const last = JSON.parse(lines.pop() ?? "") as ScanPage;
    if (last.cursor === undefined) throw new Error("its last line names no cursor");
    return { items: lines.map((line) => JSON.parse(line) as ScannedKey), cursor: last.cursor };
  } catch (error) {
    const why = (error as Error).message;
    throw new CliFailure(exitCodes.failure, `${what} failed: the answer is no scan (${why})`);
  }
}
