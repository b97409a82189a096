import { answerCompare, answerLook } from "../anti-entropy/answer-compare.ts";
import type { Coordination } from "../coordinator/coordination.ts";
import type { DataRequest, ForwardedDelete, ForwardedPut, PeerResponse } from "../messages.ts";

/** What a node is asked about its own copies, and about what it holds for others. */
export type ReplicaRequest = Exclude<DataRequest, ForwardedPut | ForwardedDelete>;

/** Answers another node about this node's copies. */
export function receive(
  coordination: Pick<Coordination, "replica" | "clock">,
  request: ReplicaRequest,
  settle: (response: PeerResponse) => void,
): void {
  const { replica } = coordination;
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
      return void answerCompare(coordination, request).then(settle);
    case "look":
      return settle(answerLook(coordination, request));
    case "hint":
      return replica.receiveHint(request, settle);
    case "read-hint":
      return replica.receiveReadHint(request, settle);
  }
}
