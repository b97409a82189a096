import { answerFetch, answerMergeAll } from "../anti-entropy/answer-bulk.ts";
import { answerCompare, answerLook } from "../anti-entropy/answer-compare.ts";
import type { Clock } from "@coterie/ports";
import type { RecordStore } from "@coterie/storage";
import type { DataRequest, ForwardedDelete, ForwardedPut, PeerResponse } from "../messages.ts";
import type { HotKeys } from "../hot/hot-keys.ts";
import type { Reaping } from "../reaping/reaping.ts";
import type { Replica } from "./replica.ts";

/** What a node is asked about its own copies, and about what it holds for others. */
export type ReplicaRequest = Exclude<DataRequest, ForwardedPut | ForwardedDelete>;

export interface Receivers {
  readonly clock: Clock;
  readonly store: RecordStore;
  readonly replica: Replica;
  readonly reaping: Reaping;
  readonly hotKeys: Pick<HotKeys, "tables">;
}

/** Answers another node about this node's copies. */
export function receive(
  receivers: Receivers,
  request: ReplicaRequest,
  settle: (response: PeerResponse) => void,
): void {
  const { replica, reaping } = receivers;
  switch (request.kind) {
    case "merge":
      return replica.receiveMerge(request, settle);
    case "read":
      return replica.receiveRead(request, settle);
    case "find":
      return replica.receiveFind(request, settle);
    case "list":
      return replica.receiveList(request, settle);
    case "compare":
      return void answerCompare(receivers, request).then(settle);
    case "look":
      return void answerLook(receivers, request).then(settle);
    case "fetch":
      return answerFetch(receivers, request, settle);
    case "merge-all":
      return void answerMergeAll(receivers, request).then(settle);
    case "hint":
      return replica.receiveHint(request, settle);
    case "read-hint":
      return replica.receiveReadHint(request, settle);
    case "raise-fence":
    case "reap":
    case "ask-fences":
      return reaping.receive(request, settle);
    case "ask-hot-keys":
      return settle({ kind: "hot-keys", ...receivers.hotKeys.tables() });
  }
}
