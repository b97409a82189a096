import { grpcStatuses } from "../../adapters/http2/grpc-status.ts";
import { coldCodec, fileDescriptor, fileOfSymbol, serviceNames } from "./descriptors.ts";
import { type GrpcMethod, streamOfRequests } from "./grpc-method.ts";

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

type ReflectionVersion = "v1" | "v1alpha";

/** The method of one version of the service: answers from what the door was built from. */
export function reflectionMethod(version: ReflectionVersion): readonly [string, GrpcMethod] {
  const service = `grpc.reflection.${version}.ServerReflection`;
  const requests = coldCodec<ReflectionRequest>(`${service}Request`);
  const responses = coldCodec<ReflectionResponse>(`${service}Response`);
  const method = streamOfRequests((call) => ({
    message: (bytes) => {
      const request = requests.decode(bytes);
      if (request === undefined) {
        call.fail({ status: "INVALID_ARGUMENT", details: "the message is malformed" });
        return;
      }
      const messageResponse = answer(request);
      const response = { validHost: request.host, originalRequest: request, messageResponse };
      // One answer at a time: a client that does not read is not read from either.
      call.pause();
      call.write(responses.encode(response), () => call.resume());
    },
    ended: () => call.end(),
  }));
  return [`/${service}/ServerReflectionInfo`, method];
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
      return failure(grpcStatuses.NOT_FOUND, "there are no extensions");
    case undefined:
    default:
      return failure(grpcStatuses.UNIMPLEMENTED, "the request asks for nothing that is known");
  }
}

function fileAnswer(name: string): Answer {
  const file = fileDescriptor(name);
  if (file === undefined) return failure(grpcStatuses.NOT_FOUND, "there is no such file or symbol");
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: [file] } };
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
