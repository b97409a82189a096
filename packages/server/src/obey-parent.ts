import type { PeerAddress } from "@coterie/core";
import type { CutLink } from "./adapters/peer-network/severable-stream.ts";
import type { SeverableTransport } from "./adapters/peer-network/severable-transport.ts";
import type { Log } from "./observability/log.ts";

/**
 * Cuts links as the process says that started this one, over the IPC channel between the two: a
 * `coterie dev`, or a test. Nobody else can reach that channel. What it says otherwise is ignored.
 */
export function obeyParent(transport: SeverableTransport, log: Log): { readonly stop: () => void } {
  const onMessage = (message: unknown): void => {
    const order = cutOrderIn(message);
    if (order === undefined) return;
    transport.cut(order.links);
    log.warn({ event: "links-cut", links: order.links }, "links were cut or healed by hand");
    if (process.connected) process.send?.({ kind: "links-cut", serial: order.serial });
  };
  process.on("message", onMessage);
  return { stop: () => process.off("message", onMessage) };
}

/** Tells whoever started this process that to start it again is of no use. */
export function tellParentGone(): void {
  if (process.connected) process.send?.({ kind: "gone" });
}

interface CutOrder {
  readonly serial: number;
  readonly links: readonly CutLink[];
}

function cutOrderIn(message: unknown): CutOrder | undefined {
  const { kind, serial, links } = fieldsOf(message);
  if (kind !== "cut-links" || typeof serial !== "number" || !Array.isArray(links)) return undefined;
  return {
    serial,
    links: links.map(fieldsOf).map(({ address, to, from }) => ({
      address: String(address) as PeerAddress,
      to: to === true,
      from: from === true,
    })),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
