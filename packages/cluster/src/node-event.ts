import type { MembershipEvent } from "@coterie/core";
import type { RecoveryReport } from "@coterie/storage";
import type { AntiEntropyEvent } from "./anti-entropy/anti-entropy-view.ts";
import type { HandoffEvent } from "./handoff/handoff-view.ts";
import type { HintsLost } from "./hints/hint-book.ts";

/** What an operator wants to read in the log. */
export type NodeEvent =
  | { readonly kind: "store-opened"; readonly report: RecoveryReport }
  | { readonly kind: "formed"; readonly clusterId: string; readonly digest: string }
  | { readonly kind: "ready" }
  /** The node goes by another version of the cluster document from now on. */
  | { readonly kind: "document-changed"; readonly epoch: number; readonly digest: string }
  | { readonly kind: "peer-refused"; readonly reason: string }
  | { readonly kind: "refilled" }
  | { readonly kind: "handoff"; readonly event: HandoffEvent }
  | { readonly kind: "anti-entropy"; readonly event: AntiEntropyEvent }
  | { readonly kind: "hints-lost"; readonly lost: HintsLost }
  | { readonly kind: "membership"; readonly event: MembershipEvent };
