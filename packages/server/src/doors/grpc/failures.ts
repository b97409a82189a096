import type { Failure } from "@coterie/cluster";
import { type ErrorCode, errorTable } from "@coterie/core";
import {
  type KvFailure,
  encodeKvReply,
  encodeStatusDetails,
  failureTrailers,
} from "@coterie/protocol";
import { type GrpcStatus, grpcStatuses } from "../../adapters/http2/grpc-status.ts";
import type { RequestProblem } from "../request-checks.ts";

const noAcks = { primaries: 0, fallbacks: 0, required: 0 };

/** A request that never got as far as the node. */
export function refusal({ code, message }: RequestProblem): KvFailure {
  const { retryable, hint } = errorTable[code];
  return {
    kind: "failure",
    code,
    message,
    isOutcomeUnknown: false,
    acks: noAcks,
    isRetryable: retryable,
    hint,
  };
}

/** What the node says of a request that failed. */
export function failureOf({ code, message, outcome, acks }: Failure): KvFailure {
  const { retryable, hint } = errorTable[code];
  return {
    kind: "failure",
    code,
    message,
    isOutcomeUnknown: outcome === "unknown",
    acks,
    isRetryable: retryable,
    hint,
  };
}

/** A defect: the node's log says more. A write may have been carried out. */
export const defect: KvFailure = {
  ...refusal({ code: "internal", message: "a defect; the node's log says more" }),
  isOutcomeUnknown: true,
};

/** Answers of a door that closes. */
export const shuttingDown: KvFailure = refusal({
  code: "shutting-down",
  message: "the node is shutting down",
});

/** Answers of a door that is open already, while its node is not made yet. */
export const starting: KvFailure = refusal({
  code: "not-ready",
  message: "the node is starting",
});

/** A reply that no message can carry. */
export const tooLargeReply: KvFailure = refusal({
  code: "too-large",
  message: "the reply is larger than a message may be; ask for less at once",
});

/** The status of a failed call, with the failure in its trailers. */
export function statusOf(failure: KvFailure): GrpcStatus {
  const status = errorTable[failure.code as ErrorCode].grpc as GrpcStatus["status"];
  const details = `${failure.code}: ${failure.message}`;
  const encoded = encodeKvReply(failure);
  const forAnyTool = encodeStatusDetails({ code: grpcStatuses[status], message: details }, encoded);
  return {
    status,
    details,
    trailers: {
      [failureTrailers.code]: failure.code,
      [failureTrailers.message]: Buffer.from(encoded).toString("base64"),
      [failureTrailers.details]: Buffer.from(forAnyTool).toString("base64"),
    },
  };
}
