export type * from "./messages.ts";
export type { NodeApi, NodeStatistics, PeerView } from "./node-api.ts";
export type {
  Acks,
  Explanation,
  Failure,
  GetOutcome,
  PutInput,
  ReplicaAnswer,
  RequestOptions,
  ScanItem,
  ScanOptions,
  ScanOutcome,
  WriteOutcome,
} from "./requests.ts";
