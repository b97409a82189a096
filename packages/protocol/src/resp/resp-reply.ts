/**
 * What a RESP server answers. Bytes and text are bulk strings; what has several forms in the
 * protocol, or one in RESP3 only, says which it is.
 */
export type RespReply =
  | Uint8Array
  | string
  | number
  | bigint
  | null
  | readonly RespReply[]
  | RespStatus
  | RespError
  | RespNullArray
  | RespMap
  | RespSet
  | RespDouble
  | RespBoolean
  | RespVerbatim;

/** A simple string, such as `OK`. */
export interface RespStatus {
  readonly kind: "status";
  readonly text: string;
}

/** An error; its text begins with a prefix in capitals. Line ends in it become spaces. */
export interface RespError {
  readonly kind: "error";
  readonly text: string;
}

/** What RESP2 has in place of an array that is not there; in RESP3 it is null. */
export interface RespNullArray {
  readonly kind: "null-array";
}

/** Keys and values in turn; in RESP2 an array of both. */
export interface RespMap {
  readonly kind: "map";
  readonly entries: readonly RespReply[];
}

/** In RESP2 an array. */
export interface RespSet {
  readonly kind: "set";
  readonly items: readonly RespReply[];
}

/** In RESP2 a bulk string. */
export interface RespDouble {
  readonly kind: "double";
  readonly text: string;
}

/** In RESP2 one or zero. */
export interface RespBoolean {
  readonly kind: "boolean";
  readonly value: boolean;
}

/** Text for people; in RESP2 a bulk string. */
export interface RespVerbatim {
  readonly kind: "verbatim";
  readonly text: string;
}

/** A reply that is an error. */
export function respError(text: string): RespError {
  return { kind: "error", text };
}

/** A reply that is a simple string. */
export function respStatus(text: string): RespStatus {
  return { kind: "status", text };
}

/** A reply that is a map: its keys and values in turn. */
export function respMap(...entries: readonly RespReply[]): RespMap {
  return { kind: "map", entries };
}

/** True if a reply is an error. */
export function isRespError(reply: RespReply): reply is RespError {
  return typeof reply === "object" && reply !== null && "kind" in reply && reply.kind === "error";
}
