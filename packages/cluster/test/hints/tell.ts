import { Ring } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "../../src/index.ts";
import { type SmallCluster, node } from "../small-cluster.ts";
import { version } from "./book-world.ts";

/** Asks a node as another member would, by the document that it goes by itself. */
export async function tell(
  small: SmallCluster,
  at: number,
  request: Partial<PeerRequest>,
): Promise<PeerResponse> {
  const receiver = small.at(at);
  const document = receiver.document();
  if (document === undefined) throw new Error("the cluster has not formed");
  const { stamp } = new Ring(document);
  const deadline = Number.MAX_SAFE_INTEGER as never;
  return small.until(
    new Promise((resolve) => {
      receiver.receive({ stamp, ...request } as PeerRequest, deadline, resolve);
    }),
  );
}

/** A record of the key, to be held for a node. */
export function hint(key: string, target: number): Partial<PeerRequest> {
  return { kind: "hint", target: node(target), fence: 0, record: version(key, 1).bytes };
}
