import {
  type ClusterDescription,
  type KvDelete,
  type KvFailure,
  type KvGet,
  type KvGetReply,
  type KvOperation,
  type KvOperationReply,
  type KvPut,
  type KvReply,
  type KvRequest,
  type KvScan,
  type KvScanReply,
  type KvWriteReply,
  PipeRequestBatch,
  clientMethods,
  decodeBatchReply,
  decodeClusterDescription,
  decodeFailure,
  decodeGetReply,
  decodePipeReplies,
  decodeScanReply,
  decodeWriteReply,
  encodeBatchRequest,
  encodeKvRequest,
} from "@coterie/protocol";
import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  Metadata,
  type ServiceError,
  credentials,
  status,
} from "@grpc/grpc-js";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A get with nothing but its key. */
export function getOf(key: string, changes: Partial<KvGet> = {}): KvGet {
  return {
    kind: "get",
    bucket: "default",
    key: bytesOf(key),
    r: undefined,
    pr: undefined,
    strict: undefined,
    timeoutMs: undefined,
    allSiblings: false,
    maxStaleMs: 0,
    ...changes,
  };
}

/** A put with nothing but its key and value. */
export function putOf(key: string, value: string, changes: Partial<KvPut> = {}): KvPut {
  return {
    kind: "put",
    bucket: "default",
    key: bytesOf(key),
    value: bytesOf(value),
    context: undefined,
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
    ...changes,
  };
}

/** A delete with nothing but its key. */
export function deleteOf(key: string, changes: Partial<KvDelete> = {}): KvDelete {
  return {
    kind: "delete",
    bucket: "default",
    key: bytesOf(key),
    context: undefined,
    w: undefined,
    pw: undefined,
    strict: undefined,
    timeoutMs: undefined,
    writeId: undefined,
    ...changes,
  };
}

/** A scan of the whole default bucket. */
export function scanOf(changes: Partial<KvScan> = {}): KvScan {
  return {
    kind: "scan",
    bucket: "default",
    prefix: new Uint8Array(),
    cursor: undefined,
    limit: 0,
    tombstones: false,
    ...changes,
  };
}

/** Texts of the siblings of a get, sorted. */
export function valuesOf(reply: KvReply | undefined): readonly string[] {
  if (reply?.kind !== "get") throw new Error(`no reply to a get: ${JSON.stringify(reply)}`);
  return reply.siblings.map(({ value }) => new TextDecoder().decode(value)).toSorted();
}

/** Why a call failed: its status, and what its trailers say. */
export interface FailedCall {
  readonly status: string;
  readonly details: string;
  readonly code: string | undefined;
  readonly failure: KvFailure | undefined;
}

export type CallOutcome<Reply> =
  | { readonly ok: true; readonly reply: Reply }
  | { readonly ok: false; readonly failed: FailedCall };

/** Calls the door as generated code would, over one connection. */
export class GrpcClient {
  readonly raw: Client;

  constructor(address: string) {
    this.raw = new Client(address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": -1,
      "grpc.enable_retries": 0,
    });
  }

  close(): void {
    this.raw.close();
  }

  get(request: KvGet, options?: CallOptions): Promise<CallOutcome<KvGetReply>> {
    return this.call(clientMethods.get, encodeKvRequest(request), decodeGetReply, options);
  }

  put(request: KvPut, options?: CallOptions): Promise<CallOutcome<KvWriteReply>> {
    return this.call(clientMethods.put, encodeKvRequest(request), decodeWriteReply, options);
  }

  delete(request: KvDelete, options?: CallOptions): Promise<CallOutcome<KvWriteReply>> {
    return this.call(clientMethods.delete, encodeKvRequest(request), decodeWriteReply, options);
  }

  batch(
    operations: readonly KvOperation[],
    options?: CallOptions,
  ): Promise<CallOutcome<readonly KvOperationReply[]>> {
    return this.call(
      clientMethods.batch,
      encodeBatchRequest(operations),
      decodeBatchReply,
      options,
    );
  }

  describe(): Promise<CallOutcome<ClusterDescription>> {
    return this.call(clientMethods.describe, new Uint8Array(), decodeClusterDescription);
  }

  /** Any unary method, with any bytes. */
  call<Reply>(
    path: string,
    request: Uint8Array,
    decode: (bytes: Uint8Array) => Reply | undefined,
    options: CallOptions = {},
  ): Promise<CallOutcome<Reply>> {
    return new Promise((resolve) => {
      this.raw.makeUnaryRequest(
        path,
        asBuffer,
        (bytes) => bytes,
        request,
        new Metadata(),
        options,
        (error, bytes) => {
          if (error !== null) {
            resolve({ ok: false, failed: failedCall(error) });
            return;
          }
          const reply = bytes === undefined ? undefined : decode(bytes);
          if (reply === undefined) throw new Error(`${path} answered with a malformed message`);
          resolve({ ok: true, reply });
        },
      );
    });
  }

  /** All pages of a scan, and how it ended. */
  async scan(
    request: KvScan,
  ): Promise<{ readonly pages: readonly KvScanReply[]; readonly failed?: FailedCall }> {
    const { messages, failed } = await this.stream(clientMethods.scan, encodeKvRequest(request));
    const pages = messages.map((bytes) => decodeScanReply(bytes) as KvScanReply);
    return failed === undefined ? { pages } : { pages, failed };
  }

  /** Any server stream, with any bytes, to its end. */
  stream(
    path: string,
    request: Uint8Array,
  ): Promise<{ readonly messages: readonly Uint8Array[]; readonly failed?: FailedCall }> {
    return new Promise((resolve) => {
      const messages: Uint8Array[] = [];
      const call = this.raw.makeServerStreamRequest(path, asBuffer, (bytes) => bytes, request);
      call.on("data", (bytes: Uint8Array) => messages.push(bytes));
      call.on("error", (error: ServiceError) => resolve({ messages, failed: failedCall(error) }));
      call.on("end", () => setImmediate(() => resolve({ messages })));
    });
  }

  pipe(options: CallOptions = {}): PipeClient {
    return new PipeClient(this.duplex(clientMethods.pipe, options));
  }

  /** Any bidirectional stream. */
  duplex(path: string, options: CallOptions = {}): ClientDuplexStream<Uint8Array, Uint8Array> {
    return this.raw.makeBidiStreamRequest(
      path,
      asBuffer,
      (bytes: Buffer): Uint8Array => bytes,
      new Metadata(),
      options,
    );
  }
}

/** One Pipe: requests get ids of their own unless they are given one. */
export class PipeClient {
  readonly call: ClientDuplexStream<Uint8Array, Uint8Array>;
  /** How many messages of replies came, and how many replies. */
  readonly counts: { messages: number; replies: number } = { messages: 0, replies: 0 };
  /** Replies to ids that nobody waits for. */
  readonly strays: { readonly id: number; readonly reply: KvReply | undefined }[] = [];
  /** Settles when the stream is over. */
  readonly ended: Promise<FailedCall | undefined>;
  readonly #waiting = new Map<number, (reply: KvReply | undefined) => void>();
  #lastId = 0;

  constructor(call: ClientDuplexStream<Uint8Array, Uint8Array>) {
    this.call = call;
    call.on("data", (bytes: Uint8Array) => this.#receive(bytes));
    this.ended = new Promise((resolve) => {
      call.on("error", (error: ServiceError) => resolve(failedCall(error)));
      call.on("end", () => setImmediate(() => resolve(undefined)));
    });
    void this.ended.then(() => {
      for (const settle of this.#waiting.values()) settle(undefined);
    });
  }

  /** Sends requests as one message; `undefined` where the stream ended without an answer. */
  ask(...requests: readonly KvRequest[]): readonly Promise<KvReply | undefined>[] {
    const batch = new PipeRequestBatch();
    const replies = requests.map((request) => {
      this.#lastId += 1;
      batch.add(this.#lastId, request);
      return this.replyTo(this.#lastId);
    });
    this.call.write(batch.take());
    return replies;
  }

  /** Sends a message without requests. */
  greet(): void {
    this.send();
  }

  /** Sends requests under given ids as one message, and waits for nothing. */
  send(...requests: readonly (readonly [id: number, request: KvRequest])[]): void {
    const batch = new PipeRequestBatch();
    for (const [id, request] of requests) batch.add(id, request);
    this.call.write(batch.take());
  }

  replyTo(id: number): Promise<KvReply | undefined> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
    });
  }

  #receive(bytes: Uint8Array): void {
    const decoded = decodePipeReplies(bytes);
    if (!decoded.ok) throw new Error("the replies are malformed");
    this.counts.messages += 1;
    this.counts.replies += decoded.replies.length;
    for (const { id, reply } of decoded.replies) {
      const settle = this.#waiting.get(id);
      if (settle === undefined) this.strays.push({ id, reply });
      else settle(reply);
      this.#waiting.delete(id);
    }
  }
}

function failedCall({ code, details, metadata }: ServiceError): FailedCall {
  const [name] = metadata.get("coterie-code");
  const [bytes] = metadata.get("coterie-failure-bin");
  return {
    status: status[code],
    details,
    code: typeof name === "string" ? name : undefined,
    failure: bytes instanceof Uint8Array ? decodeFailure(bytes) : undefined,
  };
}

function asBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message);
}
