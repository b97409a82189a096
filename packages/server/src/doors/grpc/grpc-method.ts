import type { CallEvents, GrpcCall } from "./grpc-call.ts";

/** One method of the door. */
export interface GrpcMethod {
  /** True if its calls may have nothing to say for as long as they like. */
  readonly mayIdle: boolean;
  /** A client has called it; what comes is told to what this returns. */
  readonly open: (call: GrpcCall) => CallEvents;
}

/** A method that is asked by many messages, as they come. */
export function streamOfRequests(open: GrpcMethod["open"]): GrpcMethod {
  return { mayIdle: true, open };
}

/** A method that is asked by one message; `serve` is called when the client has said all. */
export function oneRequest(
  serve: (call: GrpcCall, request: Uint8Array) => void,
  mayIdle: boolean = false,
): GrpcMethod {
  return {
    mayIdle,
    open: (call) => {
      let request: Uint8Array | undefined;
      return {
        message: (bytes) => {
          if (request === undefined) request = bytes;
          else call.fail(anotherNumber);
        },
        ended: () => {
          if (request === undefined) call.fail(anotherNumber);
          else serve(call, request);
        },
      };
    },
  };
}

const anotherNumber = {
  status: "UNIMPLEMENTED",
  details: "the method takes exactly one message",
} as const;
