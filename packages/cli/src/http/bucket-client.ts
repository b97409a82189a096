import { randomBytes } from "node:crypto";
import { CliFailure, exitCodes } from "../exit.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import { keyLabel, keySegment } from "./keys.ts";
import type { NodePool } from "./node-pool.ts";

/** Per-request quorum options; what is left out comes from the bucket. */
export interface Quorum {
  readonly r?: number;
  readonly w?: number;
  readonly pr?: number;
  readonly pw?: number;
  /** Whether only primaries count. */
  readonly strict?: boolean;
  /** Passed on to the node, and the bound for the whole call here. */
  readonly timeout?: number;
}

/** One of a key's values. */
export interface SiblingValue {
  readonly value: Buffer;
  readonly contentType: string;
  readonly dot: string;
  readonly writtenAt: string;
  /** `undefined`: it stays. */
  readonly expiresAt: string | undefined;
}

export interface KeyState {
  /** `undefined` if the key never held anything. */
  readonly context: string | undefined;
  readonly siblings: readonly SiblingValue[];
}

export interface WriteReply {
  /** Given only when the written value stands alone. */
  readonly context: string | undefined;
  readonly siblings: number;
  readonly acks: string;
}

/** One value to write. */
export interface WriteInput {
  readonly value: Uint8Array;
  readonly contentType: string;
  readonly context: string | undefined;
  readonly writeId: string;
  /** Milliseconds that it lives. */
  readonly ttl?: number | "never" | undefined;
  /** In place of it: when it expires. */
  readonly expiresAt?: string | undefined;
}

/** How long a command waits for one answer when --timeout does not say. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** A fresh id for one write: whoever repeats the write repeats the id. */
export function newWriteId(): string {
  return randomBytes(16).toString("base64url");
}

/** The exchanges of a key, as docs/guide/http.md has them. */
export function keyExchanges(
  bucket: string,
  quorum: Quorum,
): {
  readonly read: (key: Uint8Array) => Exchange;
  readonly readAll: (key: Uint8Array, siblings?: "all") => Exchange;
  readonly head: (key: Uint8Array) => Exchange;
  readonly put: (key: Uint8Array, input: WriteInput) => Exchange;
  readonly delete: (key: Uint8Array, context: string | undefined, writeId: string) => Exchange;
} {
  const { timeout, r, pr, w, pw, strict } = quorum;
  const path = (key: Uint8Array, query: string): string =>
    `/v1/buckets/${bucket}/keys/${keySegment(key)}${query}`;
  const readQuery = queryOf({ r, pr, strict, timeout });
  const writeQuery = queryOf({ w, pw, strict, timeout });
  const withContext = (context: string | undefined): Readonly<Record<string, string>> =>
    context === undefined ? {} : { "coterie-context": context };
  return {
    read: (key) => ({ method: "GET", path: path(key, readQuery) }),
    readAll: (key, siblings) => ({
      method: "GET",
      path: path(key, queryOf({ r, pr, strict, timeout, siblings })),
      headers: { accept: "application/json" },
    }),
    head: (key) => ({ method: "HEAD", path: path(key, readQuery) }),
    put: (key, { value, contentType, context, writeId, ttl, expiresAt }) => ({
      method: "PUT",
      path: path(key, ttl === undefined ? writeQuery : queryOf({ w, pw, strict, timeout, ttl })),
      body: value,
      headers: {
        "content-type": contentType,
        "coterie-write-id": writeId,
        ...(expiresAt !== undefined && { "coterie-expires-at": expiresAt }),
        ...withContext(context),
      },
    }),
    delete: (key, context, writeId) => ({
      method: "DELETE",
      path: path(key, writeQuery),
      headers: { "coterie-write-id": writeId, ...withContext(context) },
    }),
  };
}

/** A query of the options that were given; empty when none was. */
export function queryOf(
  options: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, option] of Object.entries(options)) {
    if (option !== undefined) query.set(name, String(option));
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}

/** The siblings and the context in the JSON form of a read. */
export function keyStateOf(reply: Reply): KeyState {
  const parsed: unknown = JSON.parse(reply.body.toString("utf8"));
  const { context, siblings } = parsed as {
    context?: string | null;
    siblings?: readonly {
      value: string;
      contentType: string;
      dot?: string;
      writtenAt?: string;
      expiresAt?: string | null;
    }[];
  };
  return {
    context: context ?? headerText(reply, "coterie-context"),
    siblings: (siblings ?? []).map(({ value, contentType, dot, writtenAt, expiresAt }) => ({
      value: Buffer.from(value, "base64"),
      contentType,
      dot: dot ?? "",
      writtenAt: writtenAt ?? "",
      expiresAt: expiresAt ?? undefined,
    })),
  };
}

/** A header of the reply, if it has that one. */
export function headerText({ headers }: Reply, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Reads and writes the keys of one bucket through whichever node answers. */
export class BucketClient {
  readonly #pool: NodePool;
  readonly #bucket: string;
  readonly #timeoutMs: number;
  readonly #exchanges: ReturnType<typeof keyExchanges>;

  constructor(pool: NodePool, bucket: string, quorum: Quorum) {
    this.#pool = pool;
    this.#bucket = bucket;
    // The node gives up first, so that its reason arrives.
    this.#timeoutMs = quorum.timeout === undefined ? DEFAULT_TIMEOUT_MS : quorum.timeout + 500;
    this.#exchanges = keyExchanges(bucket, quorum);
  }

  /** The value as it is; `siblings` when there are several; `undefined` when there is none. */
  async read(key: Uint8Array): Promise<Reply | "siblings" | undefined> {
    const reply = await this.#send("get", key, this.#exchanges.read(key));
    if (reply.status === 200) return reply;
    if (reply.status === 300) return "siblings";
    if (isAbsent(reply)) return undefined;
    throw failureOf(this.#what("get", key), reply);
  }

  /**
   * The siblings, and the context that covers them; `all` of them also where the bucket shows the
   * latest value only.
   */
  async readAll(key: Uint8Array, siblings?: "all"): Promise<KeyState> {
    const reply = await this.#send("get", key, this.#exchanges.readAll(key, siblings));
    if (reply.status === 200 || reply.status === 300) return keyStateOf(reply);
    if (isAbsent(reply)) {
      return { context: headerText(reply, "coterie-context"), siblings: [] };
    }
    throw failureOf(this.#what("get", key), reply);
  }

  /** The context of what the key holds now, without the values. */
  async look(key: Uint8Array): Promise<{
    readonly isPresent: boolean;
    readonly context: string | undefined;
  }> {
    const reply = await this.#send("get", key, this.#exchanges.head(key));
    if (reply.status < 400) {
      return { isPresent: true, context: headerText(reply, "coterie-context") };
    }
    // A failed HEAD has no body to say why: the full read either works or says it.
    const { context, siblings } = await this.readAll(key);
    return { isPresent: siblings.length > 0, context };
  }

  async put(key: Uint8Array, input: WriteInput): Promise<WriteReply> {
    const reply = await this.#send("put", key, this.#exchanges.put(key, input));
    if (reply.status >= 300) throw failureOf(this.#what("put", key), reply);
    return writeReplyOf(reply);
  }

  async delete(key: Uint8Array, context: string | undefined): Promise<WriteReply> {
    const exchange = this.#exchanges.delete(key, context, newWriteId());
    const reply = await this.#send("delete", key, exchange);
    if (reply.status >= 300) throw failureOf(this.#what("delete", key), reply);
    return writeReplyOf(reply);
  }

  /** How the key is named in messages. */
  label(key: Uint8Array): string {
    return `${this.#bucket}/${keyLabel(key)}`;
  }

  #send(verb: string, key: Uint8Array, exchange: Exchange): Promise<Reply> {
    return this.#pool.send(this.#what(verb, key), exchange, this.#timeoutMs);
  }

  #what(verb: string, key: Uint8Array): string {
    return `${verb} ${this.label(key)}`;
  }
}

/** The key holds nothing; other 404s name a code of their own. */
export function isAbsent(reply: Reply): boolean {
  return reply.status === 404 && !reply.body.includes('"no-such-bucket"');
}

/** No value under this key, as the end of a command. */
export function notFound(label: string): CliFailure {
  return new CliFailure(exitCodes.notFound, `${label} holds no value`);
}

function writeReplyOf(reply: Reply): WriteReply {
  return {
    context: headerText(reply, "coterie-context"),
    siblings: Number(headerText(reply, "coterie-siblings") ?? 1),
    acks: headerText(reply, "coterie-acks") ?? "",
  };
}
