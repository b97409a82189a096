import { grpcJsTransport } from "./grpc-js/grpc-js-transport.ts";
import { http2Transport } from "./http2/http2-transport.ts";
import type { PeerTransport } from "./transport.ts";

/** By the name that the configuration gives them. */
export const peerTransports: Readonly<Record<"http2" | "grpc-js", PeerTransport>> = {
  http2: http2Transport,
  "grpc-js": grpcJsTransport,
};
