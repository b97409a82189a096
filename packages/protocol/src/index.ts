export {
  type ClusterDescription,
  type DescribedBucket,
  type DescribedMember,
  decodeClusterDescription,
  encodeClusterDescription,
} from "./client/cluster-description.ts";
export type * from "./client/messages.ts";
export { clientMethods, failureTrailers } from "./client/methods.ts";
export {
  type DecodedPipeReplies,
  type DecodedPipeReply,
  PipeReplyBatch,
  decodePipeReplies,
  pipeRepliesMax,
} from "./client/pipe-replies.ts";
export {
  type DecodedPipeRequest,
  type DecodedPipeRequests,
  PipeRequestBatch,
  decodePipeRequests,
  pipeRequestsMax,
} from "./client/pipe-requests.ts";
export { kvReplySizeHint } from "./client/reply-fields.ts";
export { kvRequestSizeHint } from "./client/request-fields.ts";
export { encodeStatusDetails } from "./client/status-details.ts";
export {
  type Decoded,
  decodeBatchReply,
  decodeBatchRequest,
  decodeFailure,
  decodeGetReply,
  decodeKvRequest,
  decodeScanReply,
  decodeWriteReply,
  encodeBatchReply,
  encodeBatchRequest,
  encodeKvReply,
  encodeKvRequest,
  kvBatchOperationsMax,
} from "./client/unary.ts";
export {
  type DecodedBatch,
  type DecodedOperation,
  type MalformedMessage,
  OperationBatch,
  batchOperationsMax,
  decodeBatch,
  operationSizeHint,
} from "./operation-batch.ts";
export { responseSizeHint } from "./response-codec.ts";
export { type DecodedAck, type DecodedResult, ResultBatch, decodeAck } from "./result-batch.ts";
export type { FieldProblem } from "./wire-reader.ts";
export { RespParser, type RespParserLimits, respBulkBytesMax } from "./resp/resp-parser.ts";
export {
  type RespError,
  type RespMap,
  type RespReply,
  type RespStatus,
  isRespError,
  respError,
  respMap,
  respStatus,
} from "./resp/resp-reply.ts";
export { RespWriter, type RespVersion } from "./resp/resp-writer.ts";
