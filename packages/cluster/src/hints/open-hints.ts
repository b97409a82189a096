import type { RecordStore } from "@coterie/storage";
import type { NodeConfig, NodePorts } from "../node-config.ts";
import { HintBook, type OpenBookOutcome } from "./hint-book.ts";

/** Opens what a node holds for others, beside the store of its own records. */
export function openHints(
  ports: NodePorts,
  { hintBytesMax, onEvent, settings, store }: NodeConfig,
  own: RecordStore,
): Promise<OpenBookOutcome> {
  return HintBook.open({
    ...ports,
    settings,
    store,
    bytesMax: hintBytesMax,
    borrowReserve: () => own.lendReserve(),
    onLost: (lost) => onEvent({ kind: "hints-lost", lost }),
  });
}
