import type { RepairView } from "@coterie/cluster";
import type { Traffic } from "./counted-network.ts";

/** How a replica is shaped; the same for both. */
export interface Shape {
  readonly partitions: number;
  readonly valueBytes: number;
}

/** What the bench has one of its two nodes do; each is answered when it is done. */
export type Order =
  /** Puts so many keys into the directory, without a node. */
  | { readonly kind: "fill"; readonly keys: number }
  /** Starts the node, which forms a cluster with the other if there is none yet. */
  | { readonly kind: "start"; readonly bootstrap: readonly string[] }
  | { readonly kind: "stop" }
  /** Overwrites the first so many keys here alone. */
  | { readonly kind: "overwrite"; readonly keys: number }
  /** Compares all with the other, and makes both equal. */
  | { readonly kind: "repair" }
  | { readonly kind: "figures" };

export interface Repaired {
  readonly repair: RepairView;
  readonly traffic: Traffic;
}

export interface Figures {
  readonly keys: number;
  /** Since the node started. */
  readonly rowsRead: number;
  readonly bytesAppended: number;
}

export interface OrderMessage {
  readonly number: number;
  readonly order: Order;
}

export interface OrderAnswer {
  readonly number: number;
  readonly answer: unknown;
  readonly error?: string;
}
