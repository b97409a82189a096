/** What a failed operation did: surely nothing, or perhaps something. */
export type FailureOutcome = "refused" | "unknown";

/** How one error code appears at every door. */
export interface ErrorRow {
  readonly http: number;
  /** The name of the gRPC status. */
  readonly grpc: string;
  /** The prefix of a RESP error reply. */
  readonly resp: string;
  /** Exit code of the CLI. */
  readonly exit: number;
  /** True if the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  readonly hint: string;
}

/** Stable names: they appear in replies, documents and metrics. */
export type ErrorCode =
  | "bad-request"
  | "bad-context"
  | "not-found"
  | "no-such-bucket"
  | "bucket-conflict"
  | "no-such-node"
  | "no-such-plan"
  | "stale-plan"
  | "under-way"
  | "older-member"
  | "precondition-failed"
  | "too-large"
  | "too-many-siblings"
  | "too-many-actors"
  | "clock-skew"
  | "overloaded"
  | "not-yet"
  | "not-ready"
  | "shutting-down"
  | "quorum-not-met"
  | "no-majority"
  | "disk-full"
  | "timeout"
  | "internal";

const row = (
  http: number,
  grpc: string,
  exit: number,
  retryable: boolean,
  hint: string,
  resp: string = "ERR",
): ErrorRow => ({ http, grpc, resp, exit, retryable, hint });

/** The closed list of error codes, with their form at each door (docs/guide/errors.md). */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = {
  "bad-request": row(
    400,
    "INVALID_ARGUMENT",
    2,
    false,
    "correct the request; the message says what",
  ),
  "bad-context": row(
    400,
    "INVALID_ARGUMENT",
    2,
    false,
    "read the key again and use the context of that answer, unchanged",
  ),
  "not-found": row(404, "NOT_FOUND", 3, false, "the key holds no value"),
  "no-such-bucket": row(404, "NOT_FOUND", 3, false, "create it with coterie bucket create NAME"),
  "bucket-conflict": row(
    409,
    "FAILED_PRECONDITION",
    6,
    false,
    "compare with coterie bucket show NAME; policy and n cannot change, another name can have them",
  ),
  "no-such-node": row(
    404,
    "NOT_FOUND",
    3,
    false,
    "see coterie topology; start it if it is to join",
  ),
  "no-such-plan": row(404, "NOT_FOUND", 3, false, "make it again with coterie plan"),
  "stale-plan": row(409, "FAILED_PRECONDITION", 6, false, "make it again with coterie plan"),
  "under-way": row(
    409,
    "FAILED_PRECONDITION",
    6,
    false,
    "see coterie topology; wait, or coterie plan abort",
  ),
  "older-member": row(
    409,
    "FAILED_PRECONDITION",
    6,
    false,
    "start the newer build on all members first; see coterie upgrade",
  ),
  "precondition-failed": row(412, "FAILED_PRECONDITION", 6, false, "the key already holds a value"),
  "too-large": row(
    413,
    "RESOURCE_EXHAUSTED",
    2,
    false,
    "split the value; the message says the limit",
  ),
  "too-many-siblings": row(
    409,
    "FAILED_PRECONDITION",
    6,
    false,
    "read the key and write with its context, which resolves the siblings",
  ),
  "too-many-actors": row(
    409,
    "FAILED_PRECONDITION",
    6,
    false,
    "read the key and write with its context",
  ),
  "clock-skew": row(
    503,
    "UNAVAILABLE",
    4,
    true,
    "a node's wall clock is more than a minute off; check its time service",
    "TRYAGAIN",
  ),
  overloaded: row(
    429,
    "RESOURCE_EXHAUSTED",
    4,
    true,
    "wait a moment and send less at once",
    "BUSY",
  ),
  "not-yet": row(501, "UNIMPLEMENTED", 2, false, "this option is not built yet; leave it out"),
  "not-ready": row(
    503,
    "UNAVAILABLE",
    4,
    true,
    "the node is starting; /readyz says what it waits for",
    "LOADING",
  ),
  "shutting-down": row(503, "UNAVAILABLE", 4, true, "send it to another node", "TRYAGAIN"),
  "quorum-not-met": row(
    503,
    "UNAVAILABLE",
    4,
    true,
    "too few replicas answered; see coterie status, or lower r or w",
    "NOREPLICAS",
  ),
  "no-majority": row(
    503,
    "UNAVAILABLE",
    4,
    true,
    "more than half of the voters must answer to change the cluster; see coterie status",
    "TRYAGAIN",
  ),
  "disk-full": row(503, "RESOURCE_EXHAUSTED", 4, true, "free space on the node's disk", "OOM"),
  timeout: row(
    504,
    "DEADLINE_EXCEEDED",
    4,
    true,
    "raise the timeout, or send it again",
    "TRYAGAIN",
  ),
  internal: row(500, "INTERNAL", 1, false, "a defect of Coterie; the node's log has the details"),
};

/** Thrown at doors and in clients only: below them, failures are outcomes. */
export class CoterieError extends Error {
  override readonly name = "CoterieError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}
