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
  | { readonly kind: "heal"; readonly ids: readonly string[] };

/** The nodes that an order names. */
export function nodesIn(order: DevOrder): readonly string[] {
  if (order.kind === "cut") return order.groups.flat();
  return order.kind === "heal" ? order.ids : [order.id];
}
