import type { RequestOptions } from "@coterie/cluster";
import type { WriteId } from "@coterie/core";
import { ttlProblem } from "../request-checks.ts";
import { refuse } from "./responses.ts";
import { writeIdForm, writeIdFrom } from "./write-id-text.ts";

/** What a key request's query asks for. */
export interface KeyOptions {
  readonly options: RequestOptions;
  readonly returnBody: boolean;
}

const none: KeyOptions = { options: {}, returnBody: false };

const readOptions = ["r", "pr", "timeout", "strict"];
const deleteOptions = [...readOptions, "w", "pw"];
/** By method. A put reads at r for `If-None-Match`, a delete for the context it was not given. */
const known: ReadonlyMap<string, readonly string[]> = new Map([
  ["GET", readOptions],
  ["HEAD", readOptions],
  ["DELETE", deleteOptions],
  ["PUT", [...deleteOptions, "ttl", "return_body"]],
]);

/** Reads the query of a key request, or says what is wrong with it. */
export function parseKeyOptions(method: string, query: string): KeyOptions | Response {
  if (query === "") return none;
  const allowed = known.get(method) ?? [];
  const seen = new Set<string>();
  const options: { -readonly [name in keyof RequestOptions]: number } = {};
  let returnBody = false;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === "sloppy") return refuse("not-yet", "only strict requests are served so far");
    if (!allowed.includes(name)) {
      return refuse("bad-request", `${method} has no option "${name}": ${allowed.join(", ")}`);
    }
    if (seen.has(name)) return refuse("bad-request", `${name} was given twice`);
    seen.add(name);
    switch (name) {
      case "strict":
        if (value === "false") return refuse("not-yet", "only strict requests are served so far");
        if (value !== "true") return refuse("bad-request", "strict is true or false");
        break;
      case "ttl":
        return refuse(ttlProblem.code, ttlProblem.message);
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
        options[name === "timeout" ? "timeoutMs" : (name as "r" | "w" | "pr" | "pw")] =
          Number(value);
    }
  }
  return { options, returnBody };
}

/** The client's id for this write, if it gives one. */
export function parseWriteIdHeader(text: string | undefined): WriteId | undefined | Response {
  if (text === undefined) return undefined;
  return writeIdFrom(text) ?? refuse("bad-request", `Coterie-Write-Id is ${writeIdForm}`);
}
