import type { MethodDefinition } from "@grpc/grpc-js";
import { asBuffer, asBytes } from "../../adapters/grpc-js/message-bytes.ts";

/** A method whose messages are left as the bytes they are: our own codecs read and write them. */
export type RawMethod = MethodDefinition<Uint8Array, Uint8Array>;

/** What kind of method it is. */
export type MethodKind = "unary" | "server-stream" | "bidi-stream";

/** The definition of the method at `path`. */
export function rawMethod(path: string, kind: MethodKind): RawMethod {
  return {
    path,
    requestStream: kind === "bidi-stream",
    responseStream: kind !== "unary",
    requestSerialize: asBuffer,
    requestDeserialize: asBytes,
    responseSerialize: asBuffer,
    responseDeserialize: asBytes,
  };
}
