/** gRPC's statuses, and their numbers. */
export const grpcStatuses = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** How a call ended. */
export interface GrpcStatus {
  readonly status: keyof typeof grpcStatuses;
  readonly details: string;
  /** More that its trailers say. */
  readonly trailers?: Readonly<Record<string, string>>;
}

/** The trailers of a call that ended so. */
export function trailersOf({ status, details, trailers }: GrpcStatus): Record<string, string> {
  const number = String(grpcStatuses[status]);
  if (details === "") return { ...trailers, "grpc-status": number };
  return { ...trailers, "grpc-status": number, "grpc-message": percentEncoded(details) };
}

/** Printable ASCII as it is, without the percent sign (gRPC over HTTP/2, "Status-Message"). */
const escaped = /[^ -$&-~]+/gu;

function percentEncoded(text: string): string {
  return text.replaceAll(escaped, (part) =>
    Buffer.from(part).toString("hex").replaceAll(/../gu, "%$&").toUpperCase(),
  );
}
