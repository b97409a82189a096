import { limits } from "./limits.ts";

/** How long a put wants its value to live: at most one of the two. Neither: as the bucket says. */
export interface Lifetime {
  /**
   * Milliseconds, counted from when the write is coordinated. {@link forever}: it stays, also in a
   * bucket that has a time to live.
   */
  readonly ttlMs?: number | undefined;
  /** Wall time, in milliseconds since 1970. It may lie in the past: then nobody ever reads it. */
  readonly expiresAtMs?: number | undefined;
}

/** A time to live without end. */
export const forever: number = Number.POSITIVE_INFINITY;

/** Why a put cannot mean such a lifetime. */
export function lifetimeProblem({ ttlMs, expiresAtMs }: Lifetime): string | undefined {
  if (ttlMs !== undefined && expiresAtMs !== undefined) {
    return "give a time to live or a time of expiry, not both";
  }
  if (ttlMs !== undefined && ttlMs !== forever && !isWithin(ttlMs, limits.ttlMsMax)) {
    const most = `${limits.ttlMsMax} milliseconds (ten years)`;
    return `a time to live is an integer from 1 to ${most}, or never to expire`;
  }
  if (expiresAtMs !== undefined && !isWithin(expiresAtMs, limits.expiresAtMsMax)) {
    return `a time of expiry lies between 1970 and ${limits.expiresAtMsMax} milliseconds after it`;
  }
  return undefined;
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}
