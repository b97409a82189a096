import type { RequestOptions } from "@coterie/cluster";
import { type WriteId, forever } from "@coterie/core";
import { problemWithLifetime } from "../request-checks.ts";
import { expiryForm, expiryFrom } from "./expiry-text.ts";
import { refuse } from "./responses.ts";
import { writeIdForm, writeIdFrom } from "./write-id-text.ts";

/** What a key request's query asks for. */
export interface KeyOptions {
  readonly options: RequestOptions;
  readonly returnBody: boolean;
  /** Of a put: how long its value is to live. */
  readonly ttlMs: number | undefined;
}

const none: KeyOptions = { options: {}, returnBody: false, ttlMs: undefined };

const readOptions = ["r", "pr", "timeout", "strict"];
const getOptions = [...readOptions, "siblings", "max_stale"];
const deleteOptions = [...readOptions, "w", "pw"];
/** By method. A put reads at r for `If-None-Match`, a delete for the context it was not given. */
const known: ReadonlyMap<string, readonly string[]> = new Map([
  ["GET", getOptions],
  ["HEAD", getOptions],
  ["DELETE", deleteOptions],
  ["PUT", [...deleteOptions, "ttl", "return_body"]],
]);

/** Of numbers whose names differ. */
const optionOf: ReadonlyMap<string, "timeoutMs" | "maxStaleMs"> = new Map([
  ["timeout", "timeoutMs"],
  ["max_stale", "maxStaleMs"],
]);

/** Reads the query of a key request, or says what is wrong with it. */
export function parseKeyOptions(method: string, query: string): KeyOptions | Response {
  if (query === "") return none;
  const allowed = known.get(method) ?? [];
  const seen = new Set<string>();
  const options: { -readonly [name in keyof RequestOptions]: RequestOptions[name] } = {};
  let returnBody = false;
  let ttlMs: number | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (!allowed.includes(name)) {
      return refuse("bad-request", `${method} has no option "${name}": ${allowed.join(", ")}`);
    }
    if (seen.has(name)) return refuse("bad-request", `${name} was given twice`);
    seen.add(name);
    switch (name) {
      case "strict":
        if (value !== "true" && value !== "false") {
          return refuse("bad-request", "strict is true or false");
        }
        options.strict = value === "true";
        break;
      case "siblings":
        if (value !== "all") return refuse("bad-request", "siblings is all, or left out");
        options.allSiblings = true;
        break;
      case "ttl":
        ttlMs = value === "never" ? forever : /^\d{1,15}$/u.test(value) ? Number(value) : NaN;
        break;
      case "return_body":
        if (value !== "true" && value !== "false") {
          return refuse("bad-request", "return_body is true or false");
        }
        returnBody = value === "true";
        break;
      default:
        if (!/^\d{1,9}$/u.test(value)) {
          return refuse("bad-request", `${name} is a non-negative integer, not "${value}"`);
        }
        options[optionOf.get(name) ?? (name as "r" | "w" | "pr" | "pw")] = Number(value);
    }
  }
  const problem = problemWithLifetime({ ttlMs });
  if (problem !== undefined) return refuse(problem.code, problem.message);
  return { options, returnBody, ttlMs };
}

/** The client's id for this write, if it gives one. */
export function parseWriteIdHeader(text: string | undefined): WriteId | undefined | Response {
  if (text === undefined) return undefined;
  return writeIdFrom(text) ?? refuse("bad-request", `Coterie-Write-Id is ${writeIdForm}`);
}

/** When the value that is put expires, if the client names a time. */
export function parseExpiryHeader(
  text: string | undefined,
  ttlMs: number | undefined,
): number | undefined | Response {
  if (text === undefined) return undefined;
  const expiresAtMs = expiryFrom(text);
  if (expiresAtMs === undefined) {
    return refuse("bad-request", `Coterie-Expires-At is ${expiryForm}`);
  }
  const problem = problemWithLifetime({ ttlMs, expiresAtMs });
  return problem === undefined ? expiresAtMs : refuse(problem.code, problem.message);
}
