import type { PeerTransport } from "../transport.ts";
import { Http2Listener } from "./http2-listener.ts";
import { Http2Stream } from "./http2-stream.ts";

/** gRPC's wire format over node:http2 directly. */
export const http2Transport: PeerTransport = {
  connect: (input) => new Http2Stream(input),
  serve: (input) => new Http2Listener(input),
};
