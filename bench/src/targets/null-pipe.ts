import { type ServerDuplexStream, Server, ServerCredentials } from "@grpc/grpc-js";
import {
  type KvReply,
  type KvRequest,
  PipeReplyBatch,
  clientMethods,
  decodePipeRequests,
} from "@coterie/protocol";

const context = "AQFYuZyKgoTbpgEAjy7pUA7xFJo";
const acks = { primaries: 2, fallbacks: 0, required: 2 };
const identity = (bytes: Buffer): Buffer => bytes;

/** A Pipe that answers every message at once; `host:port`. */
export async function serveNullPipe(value: Uint8Array): Promise<string> {
  const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  const pipe = {
    path: clientMethods.pipe,
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  } as const;
  server.addService({ pipe }, { pipe: (call: Call) => answer(call, value) });
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`);
      else reject(error);
    });
  });
}

type Call = ServerDuplexStream<Buffer, Buffer>;

function answer(call: Call, value: Uint8Array): void {
  const batch = new PipeReplyBatch();
  call.on("error", () => {});
  call.on("end", () => call.end());
  call.on("data", (bytes: Buffer) => {
    const decoded = decodePipeRequests(bytes);
    if (!decoded.ok) return;
    for (const { id, request } of decoded.requests) {
      if (request !== undefined) batch.add(id, replyTo(request, value));
    }
    call.write(Buffer.from(batch.take()));
  });
}

function replyTo(request: KvRequest, value: Uint8Array): KvReply {
  if (request.kind === "scan") return { kind: "scan", items: [], cursor: undefined };
  if (request.kind !== "get") return { kind: "write", context, siblings: 1, acks, body: [] };
  const sibling = { value, contentType: "", dot: "58b99c8a8284dba6:1" };
  return {
    kind: "get",
    siblings: [{ ...sibling, writtenAtMs: 0, expiresAtMs: 0 }],
    context,
    acks,
  };
}
