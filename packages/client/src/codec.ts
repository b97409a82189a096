import { decodeUtf8, utf8 } from "@coterie/core";
import { CoterieError } from "./coterie-error.ts";

/** How values become bytes. What either direction throws is reported as `invalid-value`. */
export interface Codec<Input, Output = Input> {
  /** Kept with the value, for readers of other kinds. */
  readonly contentType: string;
  encode(value: Input): Uint8Array;
  decode(bytes: Uint8Array): Output;
}

/** Bytes as they are; a string is written as UTF-8. What a bucket uses if nothing else is said. */
export const bytes: Codec<Uint8Array | string, Uint8Array> = {
  contentType: "application/octet-stream",
  encode: (value) => (typeof value === "string" ? utf8(value) : asBytes(value)),
  decode: (value) => value,
};

/** Strings, as UTF-8. */
export const text: Codec<string> = {
  contentType: "text/plain; charset=utf-8",
  encode: (value) => {
    if (typeof value !== "string") throw new TypeError("the value is not a string");
    return utf8(value);
  },
  decode: (value) => {
    const decoded = decodeUtf8(value);
    if (decoded === undefined) throw new TypeError("the value is not UTF-8");
    return decoded;
  },
};

/** JSON. What a bucket with a schema uses if nothing else is said. */
export const json: Codec<unknown> = {
  contentType: "application/json",
  encode: (value) => {
    const encoded: string | undefined = JSON.stringify(value);
    if (encoded === undefined) throw new TypeError("the value has no JSON form");
    return utf8(encoded);
  },
  decode: (value) => JSON.parse(text.decode(value)),
};

function asBytes(value: Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError("the value is neither a Uint8Array nor a string");
}

/** The bytes of a key. */
export function keyBytes(key: Uint8Array | string, bytesMax: number): Uint8Array {
  const encoded = typeof key === "string" ? utf8(key) : key;
  if (encoded instanceof Uint8Array && encoded.length >= 1 && encoded.length <= bytesMax) {
    return encoded;
  }
  const message = `a key is a string or Uint8Array of 1 to ${bytesMax} bytes`;
  throw new CoterieError({ code: "bad-request", message });
}
