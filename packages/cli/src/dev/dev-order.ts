/** What can be done to a node of a running dev cluster. */
export type DevAction = "kill" | "pause" | "revive";

/** What a running dev can be asked to do, over its control address or by keys. */
export type DevOrder =
  | { readonly kind: DevAction; readonly id: string }
  | {
      readonly kind: "cut";
      readonly groups: readonly (readonly string[])[];
      readonly isOneWay: boolean;
    }
  | { readonly kind: "heal"; readonly ids: readonly string[] }
  /** One more node, which joins; named by the next free number if it has no id. */
  | { readonly kind: "add"; readonly id: string | undefined }
  /** A node leaves, and its process ends. */
  | { readonly kind: "remove"; readonly id: string };

/** The nodes that an order names, and that must be there. */
export function nodesIn(order: DevOrder): readonly string[] {
  if (order.kind === "cut") return order.groups.flat();
  if (order.kind === "heal") return order.ids;
  return order.kind === "add" ? [] : [order.id];
}
