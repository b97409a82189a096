import type { PutInput, RequestOptions } from "@coterie/cluster";
import { type Key, forever } from "@coterie/core";
import { z } from "zod";
import {
  type RequestProblem,
  problemWithContentType,
  problemWithKey,
  problemWithLifetime,
  problemWithValue,
} from "../../request-checks.ts";
import { expiryForm, expiryFrom } from "../expiry-text.ts";
import type { FailureFacts } from "../responses.ts";
import { writeIdForm, writeIdFrom } from "../write-id-text.ts";

const count = z.int().min(0).max(999_999_999).optional();
const text = z.string().optional();

const common = {
  bucket: z.string().default("default"),
  /** As text, or `key64`: its bytes in base64 or base64url. */
  key: text,
  key64: text,
  r: count,
  pr: count,
  /** Milliseconds. */
  timeout: count,
  strict: z.boolean().optional(),
};
const writing = { ...common, w: count, pw: count, context: text, writeId: text };

/** One line of a batch. */
const batchLine: z.ZodType<BatchLine> = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("get"), ...common, siblings: z.literal("all").optional() }),
  z.strictObject({
    op: z.literal("put"),
    ...writing,
    /** As text, or `value64`: its bytes in base64 or base64url. */
    value: text,
    value64: text,
    contentType: text,
    ifAbsent: z.boolean().optional(),
    returnBody: z.boolean().optional(),
    /** Milliseconds. */
    ttl: z.union([z.number(), z.literal("never")]).optional(),
    expiresAt: text,
  }),
  z.strictObject({ op: z.literal("delete"), ...writing }),
]);

interface BatchLine {
  readonly op: "get" | "put" | "delete";
  readonly bucket: string;
  readonly key?: string | undefined;
  readonly key64?: string | undefined;
  readonly r?: number | undefined;
  readonly pr?: number | undefined;
  readonly w?: number | undefined;
  readonly pw?: number | undefined;
  readonly timeout?: number | undefined;
  readonly strict?: boolean | undefined;
  readonly siblings?: "all" | undefined;
  readonly context?: string | undefined;
  readonly writeId?: string | undefined;
  readonly value?: string | undefined;
  readonly value64?: string | undefined;
  readonly contentType?: string | undefined;
  readonly ifAbsent?: boolean | undefined;
  readonly returnBody?: boolean | undefined;
  readonly ttl?: number | "never" | undefined;
  readonly expiresAt?: string | undefined;
}

/** What a line asks of the node. */
export type BatchOperation = { readonly key: Key; readonly options: RequestOptions } & (
  | { readonly op: "get" }
  | { readonly op: "put"; readonly input: PutInput }
  | { readonly op: "delete"; readonly context: string | undefined }
);

export type ParsedLine =
  | { readonly ok: true; readonly operation: BatchOperation }
  | { readonly ok: false; readonly failure: FailureFacts };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads one line of a batch, or says what is wrong with it. */
export function parseBatchLine(line: Uint8Array, valueBytesMax: number): ParsedLine {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(line));
  } catch {
    return malformed("the line is no JSON in UTF-8");
  }
  const parsed = batchLine.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return malformed(`${issue?.path.join(".") || "the line"}: ${issue?.message}`);
  }
  return operationOf(parsed.data, valueBytesMax);
}

function operationOf(line: BatchLine, valueBytesMax: number): ParsedLine {
  const key = bytesOf(line.key, line.key64);
  if (key === undefined) return malformed("give either key, a text, or key64, base64");
  const problem = problemWithKey(line.bucket, key);
  if (problem !== undefined) return refusedFor(problem);
  const { r, pr, w, pw, strict, timeout } = line;
  const place = {
    key: { bucket: line.bucket, key },
    options: { r, pr, w, pw, strict, timeoutMs: timeout, allSiblings: line.siblings === "all" },
  };
  if (line.op === "get") return { ok: true, operation: { op: "get", ...place } };
  const writeId = line.writeId === undefined ? undefined : writeIdFrom(line.writeId);
  if (writeId === undefined && line.writeId !== undefined) {
    return malformed(`writeId is ${writeIdForm}`);
  }
  const { context } = line;
  // A delete repeated with its context deletes nothing more, so its id is only checked.
  if (line.op === "delete") return { ok: true, operation: { op: "delete", ...place, context } };
  const value = bytesOf(line.value, line.value64);
  if (value === undefined) return malformed("give either value, a text, or value64, base64");
  const contentType = line.contentType ?? (line.value === undefined ? bytesType : textType);
  const expiresAtMs = line.expiresAt === undefined ? undefined : expiryFrom(line.expiresAt);
  if (expiresAtMs === undefined && line.expiresAt !== undefined) {
    return malformed(`expiresAt is ${expiryForm}`);
  }
  const lifetime = { ttlMs: line.ttl === "never" ? forever : line.ttl, expiresAtMs };
  const unfit =
    problemWithValue(value.length, valueBytesMax) ??
    problemWithContentType(contentType) ??
    problemWithLifetime(lifetime);
  if (unfit !== undefined) return refusedFor(unfit);
  const { ifAbsent = false, returnBody = false } = line;
  const input = { value, contentType, context, writeId, returnBody, ifAbsent, ...lifetime };
  return { ok: true, operation: { op: "put", ...place, input } };
}

const textType = "text/plain; charset=utf-8";
const bytesType = "application/octet-stream";

/** Bytes of whichever of the two was given, in memory of their own; `undefined` if not just one. */
function bytesOf(text: string | undefined, base64: string | undefined): Uint8Array | undefined {
  if (text !== undefined) {
    // Half a surrogate pair has no bytes: it would become the same as any other half.
    const isText = base64 === undefined && !/\p{Surrogate}/u.test(text);
    return isText ? encoder.encode(text) : undefined;
  }
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, "base64");
  const digits = base64.endsWith("=") ? base64.replace(/={1,2}$/u, "") : base64;
  // Whatever is no digit was left out.
  if (Math.ceil((bytes.length * 4) / 3) !== digits.length) return undefined;
  return bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function refusedFor({ code, message }: RequestProblem): ParsedLine {
  return refused(code, message);
}

function malformed(message: string): ParsedLine {
  return refused("bad-request", message);
}

function refused(code: FailureFacts["code"], message: string): ParsedLine {
  return { ok: false, failure: { code, message, outcome: "refused" } };
}
