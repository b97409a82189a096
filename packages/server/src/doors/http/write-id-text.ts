import { type WriteId, fromBase64url, hex } from "@coterie/core";

/** A write id as clients write it, in words. */
export const writeIdForm = "16 bytes in base64url, 22 characters";

/** Reads a client's id for a write; `undefined` if it is none. */
export function writeIdFrom(text: string): WriteId | undefined {
  const bytes = text.length === 22 ? fromBase64url(text) : undefined;
  return bytes?.length === 16 ? (hex(bytes) as WriteId) : undefined;
}
