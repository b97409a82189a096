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
