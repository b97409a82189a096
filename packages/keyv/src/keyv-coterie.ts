import type { BatchResult, Bucket, Read } from "@coterie/client";

/** Keys of one round trip, where a Keyv asks for many. */
const roundKeys = 256;

/** What a Keyv hands to `setMany`, one for each key. */
export interface KeyvEntry {
  readonly key: string;
  readonly value: string;
  /** Milliseconds. */
  readonly ttl?: number;
}

/**
 * A bucket as the store of a Keyv: `new Keyv({ store: new KeyvCoterie(coterie.bucket("redis")) })`.
 * The bucket's policy should be `lww`, as a Keyv reads one value; of siblings it gets the latest.
 * It needs nothing of Keyv itself. Whatever fails rejects with the client's error; nothing is
 * emitted, and the client stays with whoever made it.
 */
export class KeyvCoterie {
  /** Keyv iterates only over stores of a dialect that it knows, and keeps notes of its own here. */
  readonly opts: Record<string, unknown> = { dialect: "redis", url: "" };
  /** Set by Keyv, which puts it before its keys with a colon. */
  namespace: string | undefined;
  readonly #bucket: Bucket<Uint8Array | string, Uint8Array>;

  constructor(bucket: Bucket<Uint8Array | string, Uint8Array>) {
    this.#bucket = bucket;
  }

  /** For Keyv, which listens for errors: there are no events. */
  on(): this {
    return this;
  }

  /** The stored text, `undefined` if there is none. */
  async get<Value = string>(key: string): Promise<Value | undefined> {
    return textOf(await this.#bucket.get(key)) as Value | undefined;
  }

  /** In the order of the keys. */
  async getMany<Value = string>(keys: readonly string[]): Promise<(Value | undefined)[]> {
    const values: (Value | undefined)[] = [];
    for (const round of rounds(keys)) {
      const reads = await this.#bucket.batch(round.map((key) => ({ kind: "get", key }) as const));
      for (const read of reads) values.push(textOf(readOf(read)) as Value | undefined);
    }
    return values;
  }

  /** With `ttl` milliseconds the bucket lets go of the value by itself. */
  async set(key: string, value: string, ttl?: number): Promise<true> {
    await this.#bucket.put(key, value, { ttlMs: wholeMs(ttl) });
    return true;
  }

  async setMany(entries: readonly KeyvEntry[]): Promise<void> {
    for (const round of rounds(entries)) {
      const writes = round.map(({ key, value, ttl }) => {
        return { kind: "put", key, value, ttlMs: wholeMs(ttl) } as const;
      });
      throwFailure(await this.#bucket.batch(writes));
    }
  }

  /** Whether there was something to delete. */
  async delete(key: string): Promise<boolean> {
    return this.deleteMany([key]);
  }

  /** Whether there was something to delete. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    let isAny = false;
    for (const round of rounds(keys)) {
      const reads = await this.#bucket.batch(round.map((key) => ({ kind: "get", key }) as const));
      const found = round.flatMap((key, at) => {
        const read = readOf(reads[at]);
        return read.kind === "absent"
          ? []
          : [{ kind: "delete", key, context: read.context } as const];
      });
      throwFailure(await this.#bucket.batch(found));
      isAny ||= found.length > 0;
    }
    return isAny;
  }

  async has(key: string): Promise<boolean> {
    return (await this.#bucket.get(key)).kind !== "absent";
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    return (await this.getMany(keys)).map((value) => value !== undefined);
  }

  /** Deletes the keys of the namespace; without one, all keys of the bucket. */
  async clear(): Promise<void> {
    let keys: string[] = [];
    for await (const { text } of this.#bucket.scan({ prefix: this.#prefix(this.namespace) })) {
      keys.push(text);
      if (keys.length < roundKeys) continue;
      await this.deleteMany(keys);
      keys = [];
    }
    await this.deleteMany(keys);
  }

  /** Keys and what is stored under them, in no order. */
  async *iterator(namespace: string | undefined): AsyncGenerator<[string, string], void> {
    let cursor: string | undefined;
    const prefix = this.#prefix(namespace);
    do {
      const page = await this.#bucket.scanPage({ prefix, cursor, pageSize: roundKeys });
      const keys = page.entries.map(({ text }) => text);
      const values = await this.getMany(keys);
      for (const [at, key] of keys.entries()) {
        const value = values[at];
        if (value !== undefined) yield [key, value];
      }
      ({ cursor } = page);
    } while (cursor !== undefined);
  }

  #prefix(namespace: string | undefined): string {
    return namespace === undefined ? "" : `${namespace}:`;
  }
}

/** A Keyv may compute its milliseconds. */
function wholeMs(ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : Math.max(1, Math.ceil(ttl));
}

function* rounds<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += roundKeys) yield items.slice(at, at + roundKeys);
}

function readOf(result: BatchResult<Uint8Array> | undefined): Read<Uint8Array> {
  if (result?.ok === false) throw result.error;
  if (result?.kind !== "get") throw new TypeError("a batch answers each of its operations");
  return result.result;
}

function throwFailure(results: readonly BatchResult<Uint8Array>[]): void {
  const failed = results.find(({ ok }) => !ok);
  if (failed?.ok === false) throw failed.error;
}

const decoder = new TextDecoder();

function textOf(read: Read<Uint8Array>): string | undefined {
  if (read.kind === "absent") return undefined;
  if (read.kind === "value") return decoder.decode(read.value);
  const latest = read.siblings.reduce((one, other) => {
    return other.writtenAt > one.writtenAt ? other : one;
  });
  return decoder.decode(latest.value);
}
