import type { ScanOptions } from "@coterie/cluster";
import { decodeSegment } from "./request-facts.ts";
import { queryOptions } from "./query-options.ts";
import { refuse } from "./responses.ts";

const limitDefault = 1000;

/** What a scan's query asks for; `all` streams everything from the cursor on. */
export type ScanQuery = Omit<ScanOptions, "limit"> & { readonly limit: number | "all" };

/** Reads the query of a scan, or says what is wrong with it. */
export function parseScanQuery(query: string): ScanQuery | Response {
  const options = queryOptions(query);
  if (options instanceof Response) return options;
  let limit: number | "all" = limitDefault;
  let cursor: string | undefined;
  let prefix: Uint8Array | undefined;
  let tombstones = false;
  for (const [name, value] of options) {
    switch (name) {
      case "limit":
        if (value !== "all" && !/^\d{1,9}$/u.test(value)) {
          return refuse("bad-request", "limit is a whole number, or all");
        }
        limit = value === "all" ? value : Number(value);
        break;
      case "cursor":
        cursor = value;
        break;
      case "prefix":
        // A prefix of keys, which are bytes: not a text.
        prefix = decodeSegment(value);
        if (prefix === undefined) return refuse("bad-request", "prefix has a malformed escape");
        break;
      case "tombstones":
        if (value !== "true" && value !== "false") {
          return refuse("bad-request", "tombstones is true or false");
        }
        tombstones = value === "true";
        break;
      default:
        return refuse("bad-request", `a scan has no option "${name}"`);
    }
  }
  return { limit, cursor, prefix, tombstones };
}
