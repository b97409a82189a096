import { limits } from "@coterie/core";
import type { Changed, HeldValue } from "./key-lanes.ts";
import { int64Of, isInt64, notInteger } from "./words.ts";

/** How an option or a command says when a value expires. */
export interface ExpiryForm {
  readonly unit: "seconds" | "milliseconds";
  /** From now on, or since 1970. */
  readonly base: "now" | "epoch";
}

/** The options of SET and GETEX. */
export const expiryOptions: ReadonlyMap<string, ExpiryForm> = new Map([
  ["ex", { unit: "seconds", base: "now" }],
  ["px", { unit: "milliseconds", base: "now" }],
  ["exat", { unit: "seconds", base: "epoch" }],
  ["pxat", { unit: "milliseconds", base: "epoch" }],
]);

/** How these are written. */
export const expiryUsage =
  "EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds";

export type ReadDeadline =
  | { readonly ok: true; readonly atMs: number }
  | { readonly ok: false; readonly problem: string };

/**
 * When a value expires, in milliseconds since 1970: what lies before that is 0, as past as any.
 * `mustLast` refuses what is not positive, as SET does and EXPIRE does not.
 */
export function readDeadline(
  word: Uint8Array | undefined,
  { unit, base }: ExpiryForm,
  given: { readonly nowMs: number; readonly command: string; readonly mustLast: boolean },
): ReadDeadline {
  const asked = int64Of(word);
  if (asked === undefined) return { ok: false, problem: notInteger };
  const problem = `ERR invalid expire time in '${given.command}' command`;
  if (given.mustLast && asked <= 0n) return { ok: false, problem };
  const duration = unit === "seconds" ? asked * 1000n : asked;
  const at = duration + (base === "now" ? BigInt(Math.floor(given.nowMs)) : 0n);
  if (!isInt64(duration) || at > BigInt(limits.expiresAtMsMax)) return { ok: false, problem };
  return { ok: true, atMs: at < 0n ? 0 : Number(at) };
}

/** What a key holds next if it is given a value until then: nothing, if that is past. */
export function until(
  value: Uint8Array,
  expiresAtMs: number | undefined,
  nowMs: number,
): NonNullable<Changed["next"]> {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs ? "deleted" : { value, expiresAtMs };
}

/** Conditions of EXPIRE and its kin. */
export interface ExpiryConditions {
  readonly isNone: boolean;
  readonly isAny: boolean;
  readonly isLater: boolean;
  readonly isEarlier: boolean;
}

/** Whether a key may be given another deadline; to LT and GT, a value that stays lasts longest. */
export function mayExpireAt(held: HeldValue, atMs: number, given: ExpiryConditions): boolean {
  const current = held.expiresAtMs;
  if (given.isNone && current !== undefined) return false;
  if (given.isAny && current === undefined) return false;
  if (given.isLater && (current === undefined || atMs <= current)) return false;
  return !(given.isEarlier && current !== undefined && atMs >= current);
}
