import type { Codec } from "./codec.ts";
import { CoterieError } from "./coterie-error.ts";
import type { SchemaResult, StandardSchema } from "./standard-schema.ts";

/** A value now, or later if a schema is asynchronous. */
export type Maybe<Value> = Value | Promise<Value>;

/** How a bucket's values become bytes and back, its schema included. */
export interface ValueCodec<Input, Output> {
  readonly contentType: string;
  encode(value: Input): Maybe<Uint8Array>;
  decode(bytes: Uint8Array): Maybe<Output>;
}

/** A codec whose failures are typed errors. */
export function plainValues<Input, Output>(codec: Codec<Input, Output>): ValueCodec<Input, Output> {
  const { contentType } = codec;
  return {
    contentType,
    encode: (value) => guarded("cannot be encoded", () => codec.encode(value)),
    decode: (bytes) => guarded("cannot be decoded", () => codec.decode(bytes)),
  };
}

/**
 * A codec behind a schema. Stored is what the schema takes, not what it makes of it: each read
 * validates anew, so that a schema that transforms reads back what it would have made of the
 * original.
 */
export function schemaValues<Input, Output>(
  schema: StandardSchema<Input, Output>,
  codec: Codec<unknown>,
): ValueCodec<Input, Output> {
  const plain = plainValues(codec);
  const validate = (value: unknown): Maybe<SchemaResult<Output>> =>
    schema["~standard"].validate(value);
  return {
    contentType: codec.contentType,
    encode: (value) =>
      andThen(validate(value), (result) => {
        valid(result, "does not fit its bucket's schema");
        return plain.encode(value);
      }),
    decode: (bytes) =>
      andThen(andThen(plain.decode(bytes), validate), (result) =>
        valid(result, "that is stored does not fit its bucket's schema"),
      ),
  };
}

/** Goes on at once with a value that is there. */
export function andThen<Value, Next>(
  value: Maybe<Value>,
  next: (value: Value) => Maybe<Next>,
): Maybe<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}

function valid<Output>(result: SchemaResult<Output>, complaint: string): Output {
  if (result.issues === undefined) return result.value;
  const [first] = result.issues;
  const place = (first?.path ?? [])
    .map((part) => String(typeof part === "object" ? part.key : part))
    .join(".");
  const message = `the value ${complaint}: ${place === "" ? "" : `${place}: `}${first?.message}`;
  throw new CoterieError({ code: "invalid-value", message, issues: result.issues });
}

function guarded<Value>(complaint: string, convert: () => Value): Value {
  try {
    return convert();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the value ${complaint}: ${reason}`;
    throw new CoterieError({ code: "invalid-value", message, cause });
  }
}
