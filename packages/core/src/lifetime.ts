import { limits } from "./limits.ts";

/** How long a put wants its value to live: at most one of the two. Neither: as the bucket says. */
export interface Lifetime {
  /** Milliseconds, counted from when the write is coordinated. */
  readonly ttlMs?: number | undefined;
  /** Wall time, in milliseconds since 1970. It may lie in the past: then nobody ever reads it. */
  readonly expiresAtMs?: number | undefined;
}

/** Why a put cannot mean such a lifetime. */
export function lifetimeProblem({ ttlMs, expiresAtMs }: Lifetime): string | undefined {
  if (ttlMs !== undefined && expiresAtMs !== undefined) {
    return "give a time to live or a time of expiry, not both";
  }
  if (ttlMs !== undefined && !isWithin(ttlMs, limits.ttlMsMax)) {
    return `a time to live is an integer from 1 to ${limits.ttlMsMax} milliseconds (ten years)`;
  }
  if (expiresAtMs !== undefined && !isWithin(expiresAtMs, limits.expiresAtMsMax)) {
    return `a time of expiry lies between 1970 and ${limits.expiresAtMsMax} milliseconds after it`;
  }
  return undefined;
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}
