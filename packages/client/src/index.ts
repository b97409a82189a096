export type { Bucket } from "./bucket.ts";
export type {
  BatchOperation,
  CallOptions,
  DeleteOptions,
  GetOptions,
  PutOptions,
  ScanOptions,
  UpdateOptions,
} from "./call-options.ts";
export type { CodecBucketOptions, CoterieClient, SchemaBucketOptions } from "./client.ts";
export { type Codec, bytes, json, text } from "./codec.ts";
export { Context } from "./context.ts";
export {
  type Acks,
  CoterieError,
  type CoterieErrorCode,
  type CoterieErrorInput,
  type LocalErrorCode,
  type ValueIssue,
} from "./coterie-error.ts";
export type { CoterieOptions } from "./coterie-options.ts";
export { Coterie } from "./coterie.ts";
export type { RetryOptions } from "./engine/engine-options.ts";
export type { ClientStatistics } from "./engine/statistics.ts";
export type {
  Absent,
  BatchResult,
  Read,
  ScanEntry,
  ScanPage,
  Siblings,
  Single,
  UpdateResult,
  Version,
  WriteResult,
} from "./results.ts";
export type { InferInput, InferOutput, SchemaResult, StandardSchema } from "./standard-schema.ts";
