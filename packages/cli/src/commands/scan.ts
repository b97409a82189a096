import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { keyLabel, shellQuote } from "../http/keys.ts";
import { scanPage, type ScannedKey } from "../http/scan-page.ts";

/** Options of `coterie scan`. */
export interface ScanOptions extends NodeOptions {
  readonly bucket: string;
  readonly prefix?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly tombstones?: boolean;
}

const pageItems = 500;

/** `coterie scan`: the keys of a bucket in hash order; all of them unless there is a limit. */
export function scan(options: ScanOptions): Promise<ExitCode> {
  const { bucket, prefix, limit, tombstones, timeout, json } = options;
  return withPool(options, async (pool, terminal) => {
    let left = limit ?? Number.POSITIVE_INFINITY;
    let { cursor } = options;
    do {
      const request = { bucket, prefix, cursor, tombstones, timeoutMs: timeout };
      const page = await scanPage(pool, { ...request, limit: Math.min(left, pageItems) });
      const lines = page.items.map((item) => (json === true ? JSON.stringify(item) : text(item)));
      if (lines.length > 0) await terminal.data(`${lines.join("\n")}\n`);
      left -= page.items.length;
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined && left > 0);
    if (json === true) await terminal.data(`${JSON.stringify({ cursor: cursor ?? null })}\n`);
    else if (cursor !== undefined) {
      const from = prefix === undefined ? "" : ` --prefix ${shellQuote(prefix)}`;
      terminal.say(`there is more: coterie scan --bucket ${bucket}${from} --cursor ${cursor}`);
    }
    return exitCodes.ok;
  });
}

/** A key on its own, so that a line can be given to another command; what is odd about it after. */
function text({ key, siblings, bytes }: ScannedKey): string {
  const label = keyLabel(Buffer.from(key, "base64url"));
  if (siblings === 1) return `${label}\t${bytes}`;
  return `${label}\t${bytes}\t${siblings === 0 ? "deleted" : `${siblings} siblings`}`;
}
