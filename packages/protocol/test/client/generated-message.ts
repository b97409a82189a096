import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import type {
  ClusterDescription,
  KvAcks,
  KvOperation,
  KvOperationReply,
  KvReply,
  KvRequest,
  KvScan,
  KvScanReply,
  KvSibling,
} from "../../src/index.ts";
import { ClusterDescriptionSchema } from "../generated/coterie/v1/cluster_pb.js";
import {
  type AcksSchema,
  BatchReplySchema,
  BatchRequestSchema,
  DeleteRequestSchema,
  FailureSchema,
  GetReplySchema,
  GetRequestSchema,
  type OperationReplySchema,
  type OperationSchema,
  PipeRepliesSchema,
  type PipeReplySchema,
  type PipeRequestSchema,
  PipeRequestsSchema,
  PutRequestSchema,
  ScanReplySchema,
  ScanRequestSchema,
  type SiblingSchema,
  WriteReplySchema,
} from "../generated/coterie/v1/kv_pb.js";

/** Fields that are set, as generated code wants them: an absent one is left out. */
function present<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as {
    [Name in keyof Fields]: Exclude<Fields[Name], undefined>;
  };
}

function textBytes(text: string | undefined): Uint8Array {
  return new TextEncoder().encode(text ?? "");
}

function idBytes(id: string | undefined): Uint8Array | undefined {
  return id === undefined ? undefined : new Uint8Array(Buffer.from(id, "hex"));
}

type GeneratedOperation = NonNullable<MessageInitShape<typeof OperationSchema>["operation"]>;
type GeneratedRequest = NonNullable<MessageInitShape<typeof PipeRequestSchema>["request"]>;
type GeneratedReply = NonNullable<MessageInitShape<typeof PipeReplySchema>["reply"]>;
type GeneratedOperationReply = NonNullable<MessageInitShape<typeof OperationReplySchema>["reply"]>;

function generatedOperation(request: KvOperation): GeneratedOperation {
  if (request.kind === "get") return { case: "get", value: present(request) };
  const opaque = { context: textBytes(request.context), writeId: idBytes(request.writeId) };
  if (request.kind === "put") return { case: "put", value: present({ ...request, ...opaque }) };
  return { case: "delete", value: present({ ...request, ...opaque }) };
}

function generatedScan(scan: KvScan): MessageInitShape<typeof ScanRequestSchema> {
  return { ...scan, cursor: scan.cursor ?? "" };
}

function generatedRequest(request: KvRequest): GeneratedRequest {
  if (request.kind === "cancel") return { case: "cancel", value: {} };
  if (request.kind === "scan") return { case: "scan", value: generatedScan(request) };
  return generatedOperation(request);
}

/** A copy, since generated code adds to what it is given. */
function generatedAcks(acks: KvAcks): MessageInitShape<typeof AcksSchema> {
  return { ...acks };
}

function generatedOperationReply(reply: KvOperationReply): GeneratedOperationReply {
  const acks = generatedAcks(reply.acks);
  if (reply.kind === "failure") return { case: "failure", value: { ...reply, acks } };
  const context = textBytes(reply.context);
  if (reply.kind === "get") {
    return { case: "get", value: { siblings: generatedSiblings(reply.siblings), context, acks } };
  }
  const { siblings, body } = reply;
  return { case: "write", value: { context, siblings, acks, body: generatedSiblings(body) } };
}

function generatedSiblings(
  siblings: readonly KvSibling[],
): MessageInitShape<typeof SiblingSchema>[] {
  return siblings.map((each) => ({ ...each, dot: textBytes(each.dot) }));
}

function generatedScanReply(reply: KvScanReply): MessageInitShape<typeof ScanReplySchema> {
  const items = reply.items.map((item) => ({ ...item, context: textBytes(item.context) }));
  return { items, cursor: reply.cursor ?? "" };
}

function generatedReply(reply: KvReply): GeneratedReply {
  return reply.kind === "scan"
    ? { case: "scan", value: generatedScanReply(reply) }
    : generatedOperationReply(reply);
}

/** A PipeRequests as the generated code encodes it. */
export function generatedPipeRequests(
  sent: readonly { readonly id: number; readonly request: KvRequest }[],
): Uint8Array {
  const requests = sent.map(({ id, request }) => ({ id, request: generatedRequest(request) }));
  return toBinary(PipeRequestsSchema, create(PipeRequestsSchema, { requests }));
}

/** A PipeReplies as the generated code encodes it. */
export function generatedPipeReplies(
  sent: readonly { readonly id: number; readonly reply: KvReply }[],
): Uint8Array {
  const replies = sent.map(({ id, reply }) => ({ id, reply: generatedReply(reply) }));
  return toBinary(PipeRepliesSchema, create(PipeRepliesSchema, { replies }));
}

/** The request of a unary call as the generated code encodes it. */
export function generatedUnaryRequest(request: KvOperation | KvScan): Uint8Array {
  if (request.kind === "scan")
    return toBinary(ScanRequestSchema, create(ScanRequestSchema, generatedScan(request)));
  const generated = generatedOperation(request);
  if (generated.case === "get")
    return toBinary(GetRequestSchema, create(GetRequestSchema, generated.value));
  if (generated.case === "put")
    return toBinary(PutRequestSchema, create(PutRequestSchema, generated.value));
  return toBinary(DeleteRequestSchema, create(DeleteRequestSchema, generated.value));
}

/** The reply of a unary call, or the Failure in its trailers, as the generated code encodes it. */
export function generatedUnaryReply(reply: KvReply): Uint8Array {
  const generated = generatedReply(reply);
  if (generated.case === "get")
    return toBinary(GetReplySchema, create(GetReplySchema, generated.value));
  if (generated.case === "write")
    return toBinary(WriteReplySchema, create(WriteReplySchema, generated.value));
  if (generated.case === "scan")
    return toBinary(ScanReplySchema, create(ScanReplySchema, generated.value));
  return toBinary(FailureSchema, create(FailureSchema, generated.value));
}

/** A BatchRequest as the generated code encodes it. */
export function generatedBatchRequest(operations: readonly KvOperation[]): Uint8Array {
  const generated = operations.map((each) => ({ operation: generatedOperation(each) }));
  return toBinary(BatchRequestSchema, create(BatchRequestSchema, { operations: generated }));
}

/** A BatchReply as the generated code encodes it. */
export function generatedBatchReply(replies: readonly KvOperationReply[]): Uint8Array {
  const generated = replies.map((each) => ({ reply: generatedOperationReply(each) }));
  return toBinary(BatchReplySchema, create(BatchReplySchema, { replies: generated }));
}

/** A ClusterDescription as the generated code encodes it. */
export function generatedClusterDescription(description: ClusterDescription): Uint8Array {
  const { members, buckets, partitions, hash, epoch, node } = description;
  return toBinary(
    ClusterDescriptionSchema,
    create(ClusterDescriptionSchema, {
      epoch,
      node,
      members: members.map((each) => ({ ...each })),
      buckets: buckets.map((each) => ({ ...each })),
      partitions: partitions.map((owners) => ({ members: [...owners] })),
      hash,
    }),
  );
}
