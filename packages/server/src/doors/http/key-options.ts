import type { RequestOptions } from "@coterie/cluster";
import { type WriteId, fromBase64url, hex } from "@coterie/core";
import { refuse } from "./responses.ts";

/** What a key request's query asks for. */
export interface KeyOptions {
  readonly options: RequestOptions;
  readonly returnBody: boolean;
}

const none: KeyOptions = { options: {}, returnBody: false };
const known = ["r", "w", "pr", "pw", "timeout", "strict", "ttl", "return_body"] as const;

/** Reads the query of a key request, or says what is wrong with it. */
export function parseKeyOptions(query: string): KeyOptions | Response {
  if (query === "") return none;
  const numbers: { -readonly [name in keyof RequestOptions]: number } = {};
  let returnBody = false;
  for (const [name, value] of new URLSearchParams(query)) {
    switch (name) {
      case "r":
      case "w":
      case "pr":
      case "pw":
      case "timeout": {
        if (!/^\d{1,9}$/u.test(value)) {
          return refuse("bad-request", `${name} is a non-negative integer, not "${value}"`);
        }
        numbers[name === "timeout" ? "timeoutMs" : name] = Number(value);
        break;
      }
      case "strict":
        if (value !== "true") {
          return refuse("not-yet", "only strict requests are served: leave strict out, or true");
        }
        break;
      case "ttl":
        return refuse("not-yet", "values do not expire yet: leave ttl out");
      case "return_body":
        if (value !== "true" && value !== "false") {
          return refuse("bad-request", "return_body is true or false");
        }
        returnBody = value === "true";
        break;
      default:
        return refuse("bad-request", `unknown option "${name}"; known are ${known.join(", ")}`);
    }
  }
  return { options: numbers, returnBody };
}

/** The client's id for this write: 16 bytes in base64url. */
export function parseWriteIdHeader(text: string | undefined): WriteId | undefined | Response {
  if (text === undefined) return undefined;
  const bytes = fromBase64url(text);
  if (bytes?.length === 16) return hex(bytes) as WriteId;
  return refuse("bad-request", "Coterie-Write-Id is 16 bytes in base64url, 22 characters");
}
