import { Bucket } from "./bucket.ts";
import type { Calls } from "./calls.ts";
import { type Codec, bytes, json } from "./codec.ts";
import type { ClientStatistics } from "./engine/statistics.ts";
import type { InferInput, InferOutput, StandardSchema } from "./standard-schema.ts";
import { plainValues, schemaValues } from "./value-codec.ts";

/** A bucket whose values fit a schema. */
export interface SchemaBucketOptions<Schema extends StandardSchema> {
  /** Validates every value, before it is written and after it was read. */
  readonly schema: Schema;
  /** JSON if left out. */
  readonly codec?: Codec<unknown>;
}

/** A bucket whose values go through a codec. */
export interface CodecBucketOptions<Input, Output> {
  readonly codec: Codec<Input, Output>;
}

/**
 * What `Coterie` and its fake have in common: a bucket of bytes, other buckets, and an end. To be
 * extended by them only.
 */
export class CoterieClient extends Bucket<Uint8Array | string, Uint8Array> {
  readonly #calls: Calls;
  #closed: Promise<void> | undefined;

  constructor(bucket: string, calls: Calls) {
    super(bucket, calls, plainValues(bytes));
    this.#calls = calls;
  }

  /** What this client has done so far. */
  get statistics(): ClientStatistics {
    return this.#calls.engine.statistics;
  }

  /** Another bucket, with bytes for values. */
  bucket(name: string): Bucket<Uint8Array | string, Uint8Array>;
  /** Another bucket, whose values fit a schema. */
  bucket<Schema extends StandardSchema>(
    name: string,
    options: SchemaBucketOptions<Schema>,
  ): Bucket<InferInput<Schema>, InferOutput<Schema>>;
  /** Another bucket, whose values go through a codec. */
  bucket<Input, Output>(
    name: string,
    options: CodecBucketOptions<Input, Output>,
  ): Bucket<Input, Output>;
  bucket(
    name: string,
    options: { readonly schema?: StandardSchema; readonly codec?: Codec<never, unknown> } = {},
  ): unknown {
    const { schema, codec } = options;
    if (schema !== undefined) {
      const values = schemaValues(schema, codec ?? json);
      return new Bucket(name, this.#calls, values);
    }
    return new Bucket(name, this.#calls, plainValues<never, unknown>(codec ?? bytes));
  }

  /**
   * Takes no more operations, waits for those that are pending (each ends by its own deadline), and
   * ends every connection; then nothing of the client keeps the process alive. With `drain: false`
   * what is pending fails at once, as `closed`.
   */
  close(options: { readonly drain?: boolean } = {}): Promise<void> {
    const { engine } = this.#calls;
    this.#closed ??= engine.drain().then(() => engine.close());
    if (options.drain === false) engine.close();
    return this.#closed;
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
