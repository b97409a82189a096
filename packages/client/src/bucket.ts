import { type FailureOutcome, type Key, isBucketName, keyBytesMax, utf8 } from "@coterie/core";
import { runBatch } from "./batch.ts";
import type {
  BatchOperation,
  DeleteOptions,
  GetOptions,
  PutOptions,
  ScanOptions,
  UpdateOptions,
} from "./call-options.ts";
import type { Calls } from "./calls.ts";
import { keyBytes } from "./codec.ts";
import { CoterieError } from "./coterie-error.ts";
import type { CallReply, Settler } from "./engine/call.ts";
import { readReply, scanEntry, writeReply } from "./read-reply.ts";
import type {
  BatchResult,
  Read,
  ScanEntry,
  ScanPage,
  UpdateResult,
  WriteResult,
} from "./results.ts";
import { update } from "./update.ts";
import { type ValueCodec, andThen } from "./value-codec.ts";

type Resolve<Value> = (value: Value | Promise<Value>) => void;
type Reject = (error: unknown) => void;

/**
 * The keys of one bucket, with values of one type. Made by a client's `bucket`; the client itself
 * is the bucket it was given, with bytes for values.
 *
 * Every method returns at once; what can fail rejects with a {@link CoterieError}. A value's bytes
 * belong to the operation until it settles: a repeated attempt reads them again.
 */
export class Bucket<Input, Output> {
  /** Its name. */
  readonly name: string;
  readonly #calls: Calls;
  readonly #codec: ValueCodec<Input, Output>;

  constructor(name: string, calls: Calls, codec: ValueCodec<Input, Output>) {
    if (!isBucketName(name)) {
      const message = `a bucket's name is 1 to 64 of a-z 0-9 . _ -, not ${JSON.stringify(name)}`;
      throw new CoterieError({ code: "bad-request", message });
    }
    this.name = name;
    this.#calls = calls;
    this.#codec = codec;
  }

  /** Reads a key: nothing, one value, or siblings. That a key holds nothing is no failure. */
  get(key: Uint8Array | string, options: GetOptions = {}): Promise<Read<Output>> {
    return new Promise((resolve, reject) => this.#get(key, options, resolve, reject));
  }

  /**
   * Writes a value. With the context of a read it replaces what was read; without one it is
   * concurrent with whatever is there, and becomes a sibling of it.
   */
  put(key: Uint8Array | string, value: Input, options: PutOptions = {}): Promise<WriteResult> {
    return new Promise((resolve, reject) => this.#put(key, value, options, resolve, reject));
  }

  /** Deletes what the context covers; without a context, what a read made on the way finds. */
  delete(key: Uint8Array | string, options: DeleteOptions = {}): Promise<WriteResult> {
    return new Promise((resolve, reject) => this.#delete(key, options, resolve, reject));
  }

  /**
   * Reads the key, has `resolve` make one value of all that is there, and writes it with the
   * context of the read; again, if the write met a sibling, until it stands alone. `resolve` gets
   * no values if the key holds none; it returns `undefined` to delete the key. It may be asked
   * several times and should depend on nothing but its values. The timeout covers all rounds.
   *
   * @throws CoterieError `conflict` if the value met others in each of `roundsMax` rounds: it was
   * written, as a sibling of theirs.
   */
  update(
    key: Uint8Array | string,
    resolve: (values: readonly Output[]) => Input | undefined | Promise<Input | undefined>,
    options: UpdateOptions = {},
  ): Promise<UpdateResult<Input>> {
    return update({ bucket: this, engine: this.#calls.engine, key, resolve, options }, () =>
      this.#calls.timeoutMs(options),
    );
  }

  /**
   * Carries out many operations, each on its own and at its own node: one may fail and the next
   * succeed. Not atomic, in no order. Resolves, never rejects, with what became of each.
   */
  batch(operations: readonly BatchOperation<Input>[]): Promise<readonly BatchResult<Output>[]> {
    return runBatch(operations, (operation, resolve, reject) => {
      if (operation.kind === "get") {
        const { kind } = operation;
        const done = (read: Read<Output>): void => resolve({ ok: true, kind, result: read });
        this.#get(operation.key, operation, (read) => settle(read, done, reject), reject);
        return;
      }
      const { kind } = operation;
      const done = (write: WriteResult): void => resolve({ ok: true, kind, result: write });
      const written: Resolve<WriteResult> = (write) => settle(write, done, reject);
      if (operation.kind === "delete") this.#delete(operation.key, operation, written, reject);
      else this.#put(operation.key, operation.value, operation, written, reject);
    });
  }

  /**
   * The keys of the bucket, in the order of their hashes, each once. A key that is there throughout
   * is met; one that comes or goes meanwhile may be. The timeout is that of each page.
   */
  async *scan(options: ScanOptions = {}): AsyncGenerator<ScanEntry, void, undefined> {
    let { cursor } = options;
    do {
      const page: ScanPage = await this.scanPage({ ...options, cursor });
      yield* page.entries;
      ({ cursor } = page);
    } while (cursor !== undefined);
  }

  /** One page of {@link scan}, and the cursor that continues after it, today or another day. */
  scanPage(options: ScanOptions = {}): Promise<ScanPage> {
    const { prefix = "", cursor, pageSize = 0, tombstones = false } = options;
    const request = {
      bucket: this.name,
      prefix: typeof prefix === "string" ? utf8(prefix) : prefix,
      cursor,
      limit: pageSize,
      tombstones,
    };
    return new Promise((resolve, reject) => {
      this.#calls.scan(request, options, {
        done: (reply) => {
          if (reply.kind !== "scan") rejectMismatch(reject, "refused");
          else {
            const { items, cursor: next } = reply;
            guard(reject, () => resolve({ entries: items.map(scanEntry), cursor: next }));
          }
        },
        failed: reject,
      });
    });
  }

  #get(
    key: Uint8Array | string,
    options: GetOptions,
    resolve: Resolve<Read<Output>>,
    reject: Reject,
  ): void {
    guard(reject, () =>
      this.#calls.get(this.#key(key), options, {
        done: (reply) => {
          if (reply.kind !== "get") rejectMismatch(reject, "refused");
          else guard(reject, () => resolve(readReply(reply, this.#codec)));
        },
        failed: reject,
      }),
    );
  }

  #put(
    key: Uint8Array | string,
    value: Input,
    options: PutOptions,
    resolve: Resolve<WriteResult>,
    reject: Reject,
  ): void {
    const { contentType } = this.#codec;
    guard(reject, () => {
      const place = this.#key(key);
      const encoded = andThen(this.#codec.encode(value), (bytes) => {
        const put = { value: bytes, contentType };
        guard(reject, () => this.#calls.put(place, put, options, written(resolve, reject)));
      });
      // Of an asynchronous schema.
      if (encoded instanceof Promise) encoded.catch(reject);
    });
  }

  #delete(
    key: Uint8Array | string,
    options: DeleteOptions,
    resolve: Resolve<WriteResult>,
    reject: Reject,
  ): void {
    guard(reject, () => this.#calls.delete(this.#key(key), options, written(resolve, reject)));
  }

  #key(key: Uint8Array | string): Key {
    return { bucket: this.name, key: keyBytes(key, keyBytesMax) };
  }
}

function written(resolve: Resolve<WriteResult>, reject: Reject): Settler {
  return {
    done: (reply: CallReply) => {
      if (reply.kind === "write") guard(reject, () => resolve(writeReply(reply)));
      else rejectMismatch(reject, "unknown");
    },
    failed: reject,
  };
}

/** Whatever an answer holds: what is wrong with it rejects one operation, and ends no process. */
function guard(reject: Reject, act: () => void): void {
  try {
    act();
  } catch (error) {
    reject(error);
  }
}

function settle<Value>(
  value: Value | Promise<Value>,
  done: (value: Value) => void,
  reject: Reject,
): void {
  if (value instanceof Promise) value.then(done, reject);
  else done(value);
}

function rejectMismatch(reject: Reject, outcome: FailureOutcome): void {
  const message = "the node answered another question";
  reject(new CoterieError({ code: "internal", message, outcome }));
}
