/** One value with its type. */
export interface EntryValue {
  readonly value: Buffer;
  readonly contentType: string;
  /**
   * When it expires, as the HTTP door writes it. `never`: it stays, whatever its bucket says. Left
   * out: as the bucket says.
   */
  readonly expiresAt?: string | undefined;
}

/** What one line of an import or export file says of a key. */
export interface Entry {
  readonly key: Buffer;
  /** One for a plain value, several for siblings, none for a tombstone. */
  readonly values: readonly EntryValue[];
}

/** An entry, or why the line is none. */
export type ParsedEntry =
  | { readonly ok: true; readonly entry: Entry }
  | { readonly ok: false; readonly reason: string };

/** Turns one record's bytes into an entry. */
export type EntryParser = (record: Buffer) => ParsedEntry;

/** True if it can travel in an HTTP header and is within the limit. */
export function isContentType(text: string): boolean {
  return /^[\u0020-\u007e]{1,255}$/u.test(text);
}

/** In place of the time at which a value expires. */
export const neverExpires = "never" as const;

/** True if it says when a value expires as the HTTP door takes it. */
export function isExpiry(text: string): boolean {
  if (text === neverExpires) return true;
  const isForm = /^(?:\d{4}|\+\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/u.test(text);
  return isForm && Date.parse(text) > 0;
}

/** Content type of a text whose line names none. */
export const TEXT_TYPE = "text/plain; charset=utf-8";
/** Content type of bytes whose line names none. */
export const BYTES_TYPE = "application/octet-stream";
/** Content type of a whole JSON line. */
export const JSON_TYPE = "application/json";
