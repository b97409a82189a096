import { CliFailure, exitCodes } from "../exit.ts";

const KEY_BYTES_MAX = 2048;
const utf8Strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes of a key given on the command line: UTF-8 text, or base64 where `isBase64`. */
export function keyFromArgument(text: string, isBase64: boolean): Buffer {
  const key = isBase64 ? fromBase64(text) : Buffer.from(text, "utf8");
  if (key === undefined) {
    throw new CliFailure(exitCodes.usage, `"${text}" is not base64`, "give --key64 base64 bytes");
  }
  const reason = keyProblem(key);
  if (reason !== undefined) throw new CliFailure(exitCodes.usage, reason);
  return key;
}

/** Why these bytes cannot be a key, or `undefined` when they can. */
export function keyProblem(key: Uint8Array): string | undefined {
  if (key.length === 0) return "a key has at least one byte";
  if (key.length > KEY_BYTES_MAX) {
    return `the key has ${key.length} bytes, more than the ${KEY_BYTES_MAX} allowed`;
  }
  return undefined;
}

/** Bytes of base64 or base64url text, padded or not; `undefined` when it is neither. */
export function fromBase64(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/u.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return Math.ceil((bytes.length * 4) / 3) === text.replace(/=+$/u, "").length ? bytes : undefined;
}

/** The text of bytes that are valid UTF-8, or `undefined`; lossless, a byte order mark included. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8Strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A key for people: its text if it has one that prints, base64url otherwise. */
export function keyLabel(key: Uint8Array): string {
  const text = textOf(key);
  // Control characters must not reach a terminal.
  return text !== undefined && !/\p{Cc}/u.test(text)
    ? text
    : Buffer.from(key).toString("base64url");
}

/** A key as one path segment: every byte outside RFC 3986's unreserved set percent-encoded. */
export function keySegment(key: Uint8Array): string {
  let segment = "";
  for (const byte of key) {
    const isUnreserved =
      (byte >= 48 && byte <= 57) ||
      (byte >= 65 && byte <= 90) ||
      (byte >= 97 && byte <= 122) ||
      byte === 45 ||
      byte === 46 ||
      byte === 95 ||
      byte === 126;
    segment += isUnreserved
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return segment;
}

/** A command-line argument as a shell takes it, quoted only where it must be. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
