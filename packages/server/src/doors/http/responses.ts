import type { Acks, Failure } from "@coterie/cluster";
import { type ErrorCode, errorTable } from "@coterie/core";

/** A failure as every route answers it: JSON with code, message, hint, retryable. */
export function failureResponse(failure: FailureFacts): Response {
  const status = failureStatus(failure);
  const { outcome } = failure;
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (outcome !== undefined) headers["Coterie-Outcome"] = outcome;
  if (status === 429 || status === 503) headers["Retry-After"] = "1";
  return new Response(`${JSON.stringify(failureBody(failure))}\n`, {
    status,
    headers: { ...headers, ...failure.headers },
  });
}

export function failureStatus({ code, status }: FailureFacts): number {
  return status ?? errorTable[code].http;
}

/** What a failure's JSON says. */
export function failureBody(failure: FailureFacts): Readonly<Record<string, unknown>> {
  const { code, message, outcome, acks } = failure;
  const { hint, retryable } = errorTable[code];
  const said = failure.hint ?? hint;
  return { code, message: `${code}: ${message}`, hint: said, retryable, outcome, acks };
}

export interface FailureFacts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly outcome?: Failure["outcome"];
  readonly acks?: Acks;
  /** Where HTTP knows a better status than the code's own. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where there is a better one than the code's own. */
  readonly hint?: string;
}

/** A request that never got as far as the node. */
export function refuse(code: ErrorCode, message: string): Response {
  return failureResponse({ code, message, outcome: "refused" });
}

export function jsonResponse(value: unknown, status: number = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { "Content-Type": "application/json" },
  });
}

export function acksHeader(acks: Acks, letter: "r" | "w"): string {
  return `primaries=${acks.primaries}; fallbacks=${acks.fallbacks}; ${letter}=${acks.required}`;
}
