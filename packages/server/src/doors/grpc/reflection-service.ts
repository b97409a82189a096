import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import { coldCodec, fileDescriptor, fileOfSymbol, serviceNames } from "./descriptors.ts";
import { type RawMethod, rawMethod } from "./raw-methods.ts";

/** A ServerReflectionRequest as protobuf-es reads it; both versions have the same fields. */
interface ReflectionRequest {
  readonly host: string;
  readonly messageRequest: { readonly case?: string; readonly value?: unknown };
}

interface ReflectionResponse {
  readonly validHost: string;
  readonly originalRequest: ReflectionRequest;
  readonly messageResponse: { readonly case: string; readonly value: unknown };
}

type Answer = ReflectionResponse["messageResponse"];
type ReflectionCall = ServerDuplexStream<Uint8Array, Uint8Array>;

export type ReflectionVersion = "v1" | "v1alpha";

/** The methods of one version of the reflection service. */
export function reflectionMethods(version: ReflectionVersion): Readonly<Record<string, RawMethod>> {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  return { ServerReflectionInfo: rawMethod(path, "bidi-stream") };
}

/** Answers from the descriptors that the door was built from. */
export function reflectionHandler(version: ReflectionVersion): (call: ReflectionCall) => void {
  const prefix = `grpc.reflection.${version}.ServerReflection`;
  const requests = coldCodec<ReflectionRequest>(`${prefix}Request`);
  const responses = coldCodec<ReflectionResponse>(`${prefix}Response`);
  return (call) => {
    call.on("data", (bytes: Uint8Array) => {
      const request = requests.decode(bytes);
      if (request === undefined) {
        const details = "the message is malformed";
        call.emit("error", { code: status.INVALID_ARGUMENT, details });
        return;
      }
      const messageResponse = answer(request);
      const response = { validHost: request.host, originalRequest: request, messageResponse };
      // One answer at a time: a client that does not read is not read from either.
      call.pause();
      call.write(responses.encode(response), () => call.resume());
    });
    call.on("end", () => call.end());
    call.on("error", () => undefined);
  };
}

function answer({ messageRequest: { case: kind, value } }: ReflectionRequest): Answer {
  switch (kind) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: serviceNames.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return fileAnswer(String(value));
    case "fileContainingSymbol":
      return fileAnswer(fileOfSymbol(String(value)) ?? "");
    case "allExtensionNumbersOfType":
    case "fileContainingExtension":
      return failure(status.NOT_FOUND, "there are no extensions");
    case undefined:
    default:
      return failure(status.UNIMPLEMENTED, "the request asks for nothing that is known");
  }
}

function fileAnswer(name: string): Answer {
  const file = fileDescriptor(name);
  if (file === undefined) return failure(status.NOT_FOUND, "there is no such file or symbol");
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: [file] } };
}

function failure(errorCode: status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
