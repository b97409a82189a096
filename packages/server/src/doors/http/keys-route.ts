import type { NodeApi, WriteOutcome } from "@coterie/cluster";
import type { Key } from "@coterie/core";
import type { Context } from "hono";
import { prefersJson } from "./accept-header.ts";
import { readBody } from "./body.ts";
import type { ByteBudget } from "../byte-budget.ts";
import { problemWithBucket, problemWithContentType, problemWithKey } from "../request-checks.ts";
import { expiryText } from "./expiry-text.ts";
import {
  type KeyOptions,
  parseExpiryHeader,
  parseKeyOptions,
  parseWriteIdHeader,
} from "./key-options.ts";
import { type RequestFacts, decodeSegment } from "./request-facts.ts";
import { acksHeader, failureResponse, jsonResponse, refuse } from "./responses.ts";
import type { DoorParts, RouteRequest } from "./route.ts";
import { contentTypeOf, siblingsJson, siblingsMultipart } from "./siblings-body.ts";

/** `PUT|GET|HEAD|DELETE /v1/buckets/{bucket}/keys/{key}`. */
export async function serveKey(request: RouteRequest): Promise<Response> {
  const { parts, context, facts, values } = request;
  const [bucket = "", keySegment = ""] = values;
  const key = parseKey(bucket, keySegment);
  if (key instanceof Response) return key;
  const asked = parseKeyOptions(facts.method, facts.query);
  if (asked instanceof Response) return asked;
  switch (facts.method) {
    case "PUT":
      return putKey(parts, { context, facts, key, asked });
    case "DELETE":
      return deleteKey(parts.node, facts, key, asked);
    default:
      return getKey(parts, facts, key, asked);
  }
}

/** Bucket and key of a path, checked. */
export function parseKey(bucket: string, keySegment: string): Key | Response {
  const misnamed = problemWithBucket(bucket);
  if (misnamed !== undefined) return refuse(misnamed.code, misnamed.message);
  const key = decodeSegment(keySegment);
  if (key === undefined) return refuse("bad-request", "a percent escape in the key is malformed");
  const problem = problemWithKey(bucket, key);
  return problem === undefined ? { bucket, key } : refuse(problem.code, problem.message);
}

async function getKey(
  { node, unread }: DoorParts,
  facts: RequestFacts,
  key: Key,
  { options }: KeyOptions,
): Promise<Response> {
  const outcome = await node.get(key, options);
  if (!outcome.ok) return failureResponse(outcome);
  const { siblings, context } = outcome;
  const headers: Record<string, string> = {
    "Coterie-Siblings": String(siblings.length),
    "Coterie-Acks": acksHeader(outcome.acks, "r"),
  };
  if (context !== undefined) headers["Coterie-Context"] = context;
  const [only] = siblings;
  if (only === undefined) {
    return failureResponse({ code: "not-found", message: "the key holds no value", headers });
  }
  const status = siblings.length === 1 ? 200 : 300;
  const expiresAt = siblings.length === 1 ? expiryText(only) : undefined;
  if (expiresAt !== undefined) headers["Coterie-Expires-At"] = expiresAt;
  if (prefersJson(facts.header("accept"))) {
    const body = `${JSON.stringify(siblingsJson(context, siblings))}\n`;
    return bodyResponse(facts, unread, status, Buffer.from(body), {
      ...headers,
      "Content-Type": "application/json",
    });
  }
  if (siblings.length === 1) {
    return bodyResponse(facts, unread, 200, only.value, {
      ...headers,
      ...asItIs(contentTypeOf(only)),
    });
  }
  const { body, contentType } = siblingsMultipart(siblings);
  return bodyResponse(facts, unread, 300, body, { ...headers, ...asItIs(contentType) });
}

/** A value is its writer's: a browser neither guesses what it is nor runs it as a page of ours. */
function asItIs(contentType: string): Readonly<Record<string, string>> {
  return {
    "Content-Type": contentType,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
  };
}

interface PutFacts {
  readonly context: Context;
  readonly facts: RequestFacts;
  readonly key: Key;
  readonly asked: KeyOptions;
}

async function putKey(parts: DoorParts, request: PutFacts): Promise<Response> {
  const { facts, key, asked } = request;
  const writeId = parseWriteIdHeader(facts.header("coterie-write-id"));
  if (writeId instanceof Response) return writeId;
  const expiresAtMs = parseExpiryHeader(facts.header("coterie-expires-at"), asked.ttlMs);
  if (expiresAtMs instanceof Response) return expiresAtMs;
  const refusal = refuseConditions(facts);
  if (refusal !== undefined) return refusal;
  const ifAbsent = facts.header("if-none-match") !== undefined;
  const contentType = facts.header("content-type") ?? "";
  const problem = problemWithContentType(contentType);
  if (problem !== undefined) return refuse(problem.code, problem.message);
  const value = await readBody(request.context, facts, parts.valueBytesMax, parts.budget);
  if (value instanceof Response) return value;
  const input = {
    value,
    contentType,
    writeId,
    context: facts.header("coterie-context"),
    returnBody: asked.returnBody,
    ifAbsent,
    ttlMs: asked.ttlMs,
    expiresAtMs,
  };
  const outcome = await parts.node.put(key, input, asked.options);
  return writeResponse(outcome, ifAbsent ? 201 : 204);
}

async function deleteKey(
  node: NodeApi,
  facts: RequestFacts,
  key: Key,
  { options }: KeyOptions,
): Promise<Response> {
  // A delete repeated with its context deletes nothing more, so its id is only checked.
  const writeId = parseWriteIdHeader(facts.header("coterie-write-id"));
  if (writeId instanceof Response) return writeId;
  const refusal = refuseConditions(facts);
  if (refusal !== undefined) return refusal;
  if (facts.header("if-none-match") !== undefined) {
    return refuse("bad-request", "If-None-Match means nothing for a delete");
  }
  const outcome = await node.delete(key, facts.header("coterie-context"), options);
  return writeResponse(outcome, 204);
}

/** A condition that is not checked would be a promise broken in silence. */
function refuseConditions(facts: RequestFacts): Response | undefined {
  const condition = facts.header("if-none-match");
  if (condition !== undefined && condition !== "*") {
    return refuse("not-yet", "If-None-Match knows only *");
  }
  for (const name of ["if-match", "if-unmodified-since", "content-range"]) {
    if (facts.header(name) === undefined) continue;
    return refuse("not-yet", `${name} is not understood; send the Coterie-Context that you read`);
  }
  return undefined;
}

function writeResponse(outcome: WriteOutcome, status: 201 | 204): Response {
  if (!outcome.ok) return failureResponse(outcome);
  const headers: Record<string, string> = {
    "Coterie-Acks": acksHeader(outcome.acks, "w"),
    "Coterie-Siblings": String(outcome.siblings),
  };
  if (outcome.context !== undefined) headers["Coterie-Context"] = outcome.context;
  if (outcome.body === undefined) return new Response(null, { status, headers });
  const response = jsonResponse(siblingsJson(outcome.context, outcome.body));
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** Shorter answers are not counted: what is unread of them is in the socket's own memory. */
const countedBytes = 4096;
/** Longer ones are written in parts of this many bytes, each when the one before was taken. */
const partBytes = 256 * 1024;

function bodyResponse(
  facts: RequestFacts,
  unread: ByteBudget,
  status: number,
  body: Uint8Array,
  headers: Record<string, string>,
): Response {
  if (facts.method === "HEAD") {
    return new Response(null, {
      status,
      headers: { ...headers, "Content-Length": String(body.length) },
    });
  }
  if (body.length >= countedBytes) {
    if (!unread.take(body.length)) {
      return failureResponse({
        code: "overloaded",
        message: "clients have left too many bytes of answers unread",
        outcome: "refused",
      });
    }
    facts.onAnswered(() => unread.give(body.length));
  }
  if (body.length > partBytes) {
    const length = { "Content-Length": String(body.length) };
    return new Response(inParts(body), { status, headers: { ...headers, ...length } });
  }
  return new Response(body as Uint8Array<ArrayBuffer>, { status, headers });
}

/** A connection that takes a part in time is slow; one that does not is cut. */
function inParts(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        controller.enqueue(bytes.subarray(at, at + partBytes));
        at += partBytes;
        if (at >= bytes.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
