import type { NodeApi, ScanItem, ScanOptions } from "@coterie/cluster";
import { base64url, isBucketName } from "@coterie/core";
import { AnswerStream } from "./answer-stream.ts";
import { failureBody, failureResponse, refuse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";
import { parseScanQuery } from "./scan-options.ts";

/** Keys asked for at once while a whole bucket is streamed. */
const streamedPage = 256;
/** Unread lines, above which no further page is read. */
const unreadBytesMax = 256 * 1024;

/**
 * `GET /v1/buckets/{bucket}/keys?prefix=&cursor=&limit=&tombstones=`: a page in hash order, or
 * with `limit=all` everything from the cursor on.
 */
export async function serveScan({ parts, facts, values }: RouteRequest): Promise<Response> {
  const { node } = parts;
  const [bucket = ""] = values;
  if (!isBucketName(bucket)) {
    return refuse("bad-request", "a bucket's name is 1 to 64 of a-z 0-9 . _ -");
  }
  const query = parseScanQuery(facts.query);
  if (query instanceof Response) return query;
  const isAll = query.limit === "all";
  const options = { ...query, limit: query.limit === "all" ? streamedPage : query.limit };
  const outcome = await node.scan(bucket, options);
  if (!outcome.ok) return failureResponse(outcome);
  const headers = { "Content-Type": "application/x-ndjson" };
  const { items, cursor } = outcome;
  if (!isAll || cursor === undefined || facts.method === "HEAD") {
    const lines = [...items.map(lineOf), endLine(cursor)];
    return new Response(`${lines.join("\n")}\n`, { headers });
  }
  const stream = new ScanStream(parts.unread);
  void stream.run(node, bucket, { options, items, cursor }).catch((error: unknown) => {
    parts.onDefect(error as Error);
  });
  return new Response(stream.body, { headers });
}

interface FirstPage {
  readonly options: ScanOptions;
  readonly items: readonly ScanItem[];
  readonly cursor: string;
}

/** A scan that goes on, page by page, as fast as its client reads. */
class ScanStream {
  readonly #answers: AnswerStream;
  #wake: () => void = () => undefined;

  constructor(unread: ConstructorParameters<typeof AnswerStream>[0]) {
    this.#answers = new AnswerStream(unread, () => this.#wake());
  }

  get body(): ReadableStream<Uint8Array> {
    return this.#answers.body;
  }

  async run(node: NodeApi, bucket: string, { options, items, cursor }: FirstPage): Promise<void> {
    const answers = this.#answers;
    for (const item of items) answers.add(lineOf(item));
    let next: string | undefined = cursor;
    while (next !== undefined) {
      await this.#untilRead();
      if (answers.isCancelled) return;
      const outcome = await node.scan(bucket, { ...options, cursor: next });
      if (!outcome.ok) {
        answers.add(JSON.stringify({ cursor: next, ...failureBody(outcome) }));
        return answers.end();
      }
      for (const item of outcome.items) answers.add(lineOf(item));
      next = outcome.cursor;
    }
    answers.add(endLine(undefined));
    answers.end();
  }

  async #untilRead(): Promise<void> {
    while (!this.#answers.isCancelled && this.#answers.bytes > unreadBytesMax) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function lineOf({ key, context, siblings, bytes }: ScanItem): string {
  return JSON.stringify({ key: base64url(key), context: context ?? null, siblings, bytes });
}

function endLine(cursor: string | undefined): string {
  return JSON.stringify({ cursor: cursor ?? null });
}
