import type { Token } from "@coterie/core";

/** Two halves of 64 bits, as 16 hex digits. */
export function tokenText({ high, low }: Token): string {
  return hex32(high) + hex32(low);
}

/** Reads what {@link tokenText} writes, and nothing else. */
export function parseToken(text: string): Token | undefined {
  if (!/^[0-9a-f]{16}$/u.test(text)) return undefined;
  return { high: Number.parseInt(text.slice(0, 8), 16), low: Number.parseInt(text.slice(8), 16) };
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
