import { type ErrorCode, type FailureOutcome, errorTable } from "@coterie/core";

/** Codes of failures that only a client can see; the others come from nodes. */
export type LocalErrorCode =
  | "unreachable"
  | "connection-lost"
  | "closed"
  | "conflict"
  | "invalid-value";

/** Every code an error of this client can have: those of docs/guide/errors.md, and ours. */
export type CoterieErrorCode = ErrorCode | LocalErrorCode;

interface LocalRow {
  readonly retryable: boolean;
  readonly hint: string;
}

const localTable: Readonly<Record<LocalErrorCode, LocalRow>> = {
  unreachable: { retryable: true, hint: "check the addresses in `nodes`, and that one node runs" },
  "connection-lost": { retryable: true, hint: "send it again, or leave retries on" },
  closed: { retryable: false, hint: "the client was closed; make another" },
  conflict: { retryable: true, hint: "other writers were faster; call update again" },
  "invalid-value": {
    retryable: false,
    hint: "the value does not fit the bucket's schema or codec",
  },
};

/** Who answered before a request failed. */
export interface Acks {
  readonly primaries: number;
  readonly fallbacks: number;
  /** How many were required. */
  readonly required: number;
}

export const noAcks: Acks = { primaries: 0, fallbacks: 0, required: 0 };

/** One thing that a schema found wrong with a value. */
export interface ValueIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** What an error is made of. */
export interface CoterieErrorInput {
  readonly code: CoterieErrorCode;
  readonly message: string;
  readonly outcome?: FailureOutcome;
  readonly acks?: Acks;
  readonly issues?: readonly ValueIssue[];
  readonly cause?: unknown;
}

/**
 * Why an operation failed. Every rejection of this client is one, save two: an aborted operation
 * rejects with its signal's reason, and `update` with whatever its resolver threw.
 */
export class CoterieError extends Error {
  override readonly name = "CoterieError";
  readonly code: CoterieErrorCode;
  /**
   * For a write: `refused`, it surely did not happen, or `unknown`, it may have happened. A read
   * is always `refused`.
   */
  readonly outcome: FailureOutcome;
  /** The replicas that had answered. */
  readonly acks: Acks;
  /** What a schema found wrong, for `invalid-value`; otherwise empty. */
  readonly issues: readonly ValueIssue[];

  constructor(input: CoterieErrorInput) {
    const options = input.cause === undefined ? undefined : { cause: input.cause };
    super(`${input.code}: ${input.message}`, options);
    this.code = input.code;
    this.outcome = input.outcome ?? "refused";
    this.acks = input.acks ?? noAcks;
    this.issues = input.issues ?? [];
  }

  /** True if the same operation may succeed later, unchanged. */
  get retryable(): boolean {
    return this.#row.retryable;
  }

  /** What to do about it. */
  get hint(): string {
    return this.#row.hint;
  }

  get #row(): LocalRow {
    return this.code in localTable
      ? localTable[this.code as LocalErrorCode]
      : errorTable[this.code as ErrorCode];
  }
}

/** The code that a node named, or `internal` if this client does not know it. */
export function knownErrorCode(code: string): ErrorCode {
  return Object.hasOwn(errorTable, code) ? (code as ErrorCode) : "internal";
}
