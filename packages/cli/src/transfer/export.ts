import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { headerText, isAbsent, keyExchanges, keyStateOf, queryOf } from "../http/bucket-client.ts";
import { type BucketView, clusterIdOf, jsonOf } from "../http/cluster.ts";
import { keyLabel } from "../http/keys.ts";
import { durationText } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { type Entry, neverExpires } from "./entry.ts";
import { formatNdjsonLine } from "./ndjson.ts";
import { PatientSender, transferFailure } from "./patient-sender.ts";
import { showProgress } from "./progress-line.ts";

export interface ExportOptions extends NodeOptions {
  readonly bucket: string;
  readonly tombstones?: boolean;
  readonly concurrency: number;
}

interface Exported extends ExportOptions {
  /** What a line says of a value that never expires. */
  readonly stays: typeof neverExpires | undefined;
}

/** One line of `GET /v1/buckets/{bucket}/keys`. */
interface ScannedKey {
  readonly key: Buffer;
  readonly siblings: number;
}

const PAGE_KEYS = 1000;

/**
 * `coterie export [FILE]`: every key of a bucket in hash order, one line each, as `import` reads
 * them. The same contents give the same bytes.
 */
export function exportBucket(file: string | undefined, options: ExportOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    // Patience is for a cluster that was there: without one, this fails at once.
    await clusterIdOf(pool);
    const sender = new PatientSender(pool);
    const target = file === undefined || file === "-" ? undefined : openTarget(file);
    const counts = { keys: 0, bytes: 0 };
    const startMs = performance.now();
    const progress = showProgress(terminal, "keys", () => ({
      count: counts.keys,
      bytes: counts.bytes,
      bytesTotal: undefined,
      bytesBefore: 0,
    }));
    try {
      const stays = (await hasTimeToLive(sender, options.bucket)) ? neverExpires : undefined;
      for await (const line of exportedLines(sender, { ...options, stays })) {
        counts.keys += 1;
        counts.bytes += Buffer.byteLength(line);
        await (target === undefined ? terminal.data(line) : target.write(line));
      }
      await target?.finish();
    } catch (error) {
      await target?.abandon();
      throw error;
    } finally {
      progress.stop();
    }
    sayExported(terminal, options, counts.keys, performance.now() - startMs);
    return exitCodes.ok;
  });
}

function sayExported(
  terminal: Terminal,
  { bucket }: ExportOptions,
  keys: number,
  elapsedMs: number,
): void {
  terminal.say(`exported ${keys} keys of ${bucket} in ${durationText(elapsedMs)}`);
}

/** True if the bucket gives what is put an end that the put does not ask for. */
async function hasTimeToLive(sender: PatientSender, bucket: string): Promise<boolean> {
  const what = `asking for bucket ${bucket}`;
  const reply = await sender.send(what, { method: "GET", path: `/v1/buckets/${bucket}` });
  if (reply.status !== 200) throw transferFailure(what, reply);
  return (jsonOf(what, reply) as BucketView).ttlMs !== undefined;
}

/** Reads keys ahead, a bounded number at once, and gives their lines in the order of the scan. */
async function* exportedLines(sender: PatientSender, options: Exported): AsyncGenerator<string> {
  const ahead: Promise<{ line: string | undefined } | { error: unknown }>[] = [];
  for await (const scanned of scannedKeys(sender, options)) {
    const line = exportedLine(sender, options, scanned);
    // A failure waits for its turn; until then nobody awaits it.
    ahead.push(line.then((text) => ({ line: text })).catch((error: unknown) => ({ error })));
    if (ahead.length >= options.concurrency) yield* settledLine(ahead.shift());
  }
  while (ahead.length > 0) yield* settledLine(ahead.shift());
}

async function* settledLine(
  pending: Promise<{ line: string | undefined } | { error: unknown }> | undefined,
): AsyncGenerator<string> {
  const settled = await pending;
  if (settled === undefined) return;
  if ("error" in settled) throw settled.error;
  if (settled.line !== undefined) yield settled.line;
}

async function* scannedKeys(
  sender: PatientSender,
  { bucket, tombstones }: ExportOptions,
): AsyncGenerator<ScannedKey> {
  let cursor: string | undefined;
  do {
    const query = queryOf({
      limit: PAGE_KEYS,
      cursor,
      tombstones: tombstones === true ? true : undefined,
    });
    const what = `listing the keys of ${bucket}`;
    const path = `/v1/buckets/${bucket}/keys${query}`;
    const reply = await sender.send(what, { method: "GET", path });
    if (reply.status !== 200) throw transferFailure(what, reply);
    const page = scanPage(reply.body);
    yield* page.keys;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** A page of the scan: a line per key, and last where the next page begins. */
function scanPage(body: Buffer): {
  readonly keys: readonly ScannedKey[];
  readonly cursor: string | undefined;
} {
  const keys: ScannedKey[] = [];
  let cursor: string | null | undefined;
  let isWhole = false;
  for (const line of body.toString("utf8").split("\n")) {
    if (line === "") continue;
    const fields = JSON.parse(line) as {
      key?: string;
      siblings?: number;
      cursor?: string | null;
    };
    if (fields.key === undefined) {
      isWhole = "cursor" in fields;
      cursor = fields.cursor;
    } else {
      keys.push({ key: Buffer.from(fields.key, "base64url"), siblings: fields.siblings ?? 1 });
    }
  }
  if (!isWhole) throw new CliFailure(exitCodes.failure, "the list of keys ended too early");
  return { keys, cursor: cursor === null || cursor === "" ? undefined : cursor };
}

async function exportedLine(
  sender: PatientSender,
  { bucket, tombstones, stays }: Exported,
  { key }: ScannedKey,
): Promise<string | undefined> {
  const exchanges = keyExchanges(bucket, {});
  const what = `reading ${keyLabel(key)}`;
  const entry = (values: Entry["values"]): string =>
    formatNdjsonLine({
      key,
      values: values.map((each) => ({ ...each, expiresAt: each.expiresAt ?? stays })),
    });
  const reply = await sender.send(what, exchanges.read(key));
  if (reply.status === 200) {
    const contentType = headerText(reply, "content-type") ?? "application/octet-stream";
    const expiresAt = headerText(reply, "coterie-expires-at");
    return entry([{ value: reply.body, contentType, expiresAt }]);
  }
  if (reply.status === 300) {
    const all = await sender.send(what, exchanges.readAll(key));
    if (all.status === 200 || all.status === 300) return entry(keyStateOf(all).siblings);
    if (!isAbsent(all)) throw transferFailure(what, all);
  } else if (!isAbsent(reply)) {
    throw transferFailure(what, reply);
  }
  return tombstones === true ? entry([]) : undefined;
}

/** A file that appears under its name only when it is complete. */
function openTarget(file: string): {
  readonly write: (line: string) => Promise<void>;
  readonly finish: () => Promise<void>;
  readonly abandon: () => Promise<void>;
} {
  const partial = `${file}.partial`;
  const stream = createWriteStream(partial);
  // Reported when the file is finished; without a listener it would end the process.
  stream.on("error", () => undefined);
  return {
    async write(line) {
      if (!stream.write(line) && stream.errored === null) await once(stream, "drain");
    },
    async finish() {
      stream.end();
      try {
        await finished(stream);
      } catch (error) {
        throw new CliFailure(
          exitCodes.failure,
          `cannot write ${file}: ${(error as Error).message}`,
        );
      }
      await rename(partial, file);
    },
    async abandon() {
      stream.destroy();
      await rm(partial, { force: true });
    },
  };
}
