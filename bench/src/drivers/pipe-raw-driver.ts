import type { KvReply } from "@coterie/protocol";
import { type Answer, type Driver, type DriverInput, type Settle, addressesOf } from "./driver.ts";
import { PipeStream } from "./pipe-stream.ts";

const bucket = "default";

/** Coterie's Pipe without a client library: one stream to each node, operations taking turns. */
export class PipeRawDriver implements Driver {
  readonly usesContexts = true;
  readonly #streams: readonly PipeStream[];
  #turn = 0;

  private constructor(streams: readonly PipeStream[]) {
    this.#streams = streams;
  }

  static open({ addresses }: DriverInput): Promise<PipeRawDriver> {
    const streams = addressesOf(addresses, "grpc").map((address) => new PipeStream(address));
    return Promise.resolve(new PipeRawDriver(streams));
  }

  get(key: string, settle: Settle): void {
    const request = {
      kind: "get",
      bucket,
      key: Buffer.from(key, "latin1"),
      ...readOptions,
      allSiblings: false,
      maxStaleMs: 0,
    } as const;
    this.#next().send(request, (reply) => settle(answerOf(reply)));
  }

  put(key: string, value: Buffer, context: string | undefined, settle: Settle): void {
    const request = {
      kind: "put",
      bucket,
      key: Buffer.from(key, "latin1"),
      value,
      context,
      ...writeOptions,
    } as const;
    this.#next().send(request, (reply) => settle(answerOf(reply)));
  }

  scan(cursor: string, limit: number, settle: Settle): void {
    const request = {
      kind: "scan",
      bucket,
      prefix: new Uint8Array(0),
      cursor: cursor === "" ? undefined : cursor,
      limit,
      tombstones: false,
    } as const;
    this.#next().send(request, (reply) => settle(answerOf(reply)));
  }

  close(): Promise<void> {
    for (const stream of this.#streams) stream.close();
    return Promise.resolve();
  }

  #next(): PipeStream {
    this.#turn += 1;
    return this.#streams[this.#turn % this.#streams.length] as PipeStream;
  }
}

const readOptions = { r: undefined, pr: undefined, strict: undefined, timeoutMs: undefined };
const writeOptions = {
  contentType: "",
  w: undefined,
  pw: undefined,
  strict: undefined,
  timeoutMs: undefined,
  ttlMs: undefined,
  expiresAtMs: undefined,
  writeId: undefined,
  returnBody: false,
  ifAbsent: false,
};

function answerOf(reply: KvReply | undefined): Answer {
  if (reply === undefined) return { error: "connection-lost" };
  if (reply.kind === "failure") return { error: reply.code };
  if (reply.kind === "write") return { error: undefined, context: reply.context };
  if (reply.kind === "scan") {
    return { error: undefined, cursor: reply.cursor ?? "", keys: reply.items.length };
  }
  const { siblings, context } = reply;
  return { error: undefined, context, valueBytes: siblings[0]?.value.length };
}
