import type { PeerTransport } from "../transport.ts";
import { GrpcJsListener } from "./grpc-js-listener.ts";
import { GrpcJsStream } from "./grpc-js-stream.ts";

/** gRPC as the grpc-js library carries it. */
export const grpcJsTransport: PeerTransport = {
  connect: (input) => new GrpcJsStream(input),
  serve: (input) => new GrpcJsListener(input),
};
