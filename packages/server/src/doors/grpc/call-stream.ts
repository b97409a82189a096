import type { EventEmitter } from "node:events";
import type { ServerUnaryCall } from "@grpc/grpc-js";

/**
 * Calls `onClosed` when a call's HTTP/2 stream is closed: its reply was taken, or never will be.
 * grpc-js does not tell; its stream is found by name, and may not be: then it is called at once.
 */
export function whenClosed(
  call: ServerUnaryCall<Uint8Array, Uint8Array>,
  onClosed: () => void,
): void {
  const inner: unknown = Reflect.get(call, "call");
  const stream: unknown =
    typeof inner === "object" && inner !== null ? Reflect.get(inner, "stream") : undefined;
  if (isOpenStream(stream)) stream.once("close", onClosed);
  else onClosed();
}

function isOpenStream(value: unknown): value is EventEmitter {
  if (typeof value !== "object" || value === null) return false;
  return typeof Reflect.get(value, "once") === "function" && Reflect.get(value, "closed") !== true;
}
