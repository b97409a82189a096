import type { PartitionId, Token } from "@coterie/core";

/** Two halves of 64 bits, as 16 hex digits. */
export function tokenText({ high, low }: Token): string {
  return hex32(high) + hex32(low);
}

/** Reads what {@link tokenText} writes, and nothing else. */
export function parseToken(text: string): Token | undefined {
  if (!/^[0-9a-f]{16}$/u.test(text)) return undefined;
  return { high: Number.parseInt(text.slice(0, 8), 16), low: Number.parseInt(text.slice(8), 16) };
}

/**
 * Where to go on in `partition`: after the last token seen, or, as that lies before it, after the
 * last token that does.
 */
export function cursorOf(
  after: Token | undefined,
  partition: PartitionId,
  partitions: number,
): string {
  const start = Math.ceil((partition * 0x1_0000_0000) / partitions);
  const isInside = after !== undefined && after.high >= start;
  return tokenText(isInside ? after : { high: start - 1, low: 0xffff_ffff });
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
