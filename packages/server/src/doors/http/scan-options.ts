import type { ScanOptions } from "@coterie/cluster";
import { decodeSegment } from "./request-facts.ts";
import { refuse } from "./responses.ts";

const limitDefault = 1000;

/** Reads the query of a scan, or says what is wrong with it. */
export function parseScanOptions(query: string): ScanOptions | Response {
  let limit = limitDefault;
  let cursor: string | undefined;
  let prefix: Uint8Array | undefined;
  let tombstones = false;
  for (const part of query === "" ? [] : query.split("&")) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? "" : part.slice(equals + 1);
    switch (name) {
      case "limit":
        if (!/^\d{1,9}$/u.test(value)) return refuse("bad-request", "limit is a whole number");
        limit = Number(value);
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
