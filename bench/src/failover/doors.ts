import { Coterie } from "@coterie/client";
import type { Endpoint } from "@coterie/e2e";
import type { Driver } from "../drivers/driver.ts";
import { HttpDriver } from "../drivers/http-driver.ts";
import { PipeDriver } from "../drivers/pipe-driver.ts";
import { CoterieRespDriver } from "./coterie-resp-driver.ts";

/** The ways to ask: doors of the nodes that stay, or the client, which knows all nodes. */
export const doorNames = ["http", "resp", "client"] as const;
export type DoorName = (typeof doorNames)[number];

/** What the load needs of a driver. */
export type Asked = Pick<Driver, "get" | "put" | "close">;

/** Of each node, for calls that wait for a node which does not answer. */
const connections = 64;

/** Opens what asks each node; the client asks whom it wants. */
export async function openDoors(
  door: DoorName,
  nodes: readonly Endpoint[],
): Promise<ReadonlyMap<string, Asked>> {
  if (door === "client") {
    const driver = PipeDriver.over(new Coterie({ nodes: nodes.map(({ grpc }) => grpc) }));
    return new Map(nodes.map(({ id }) => [id, driver]));
  }
  const drivers = new Map<string, Asked>();
  for (const { id, http, resp } of nodes) {
    const input = { addresses: { http: [http], resp: [resp] }, connections };
    const driver = await (door === "http" ? HttpDriver.open(input) : CoterieRespDriver.open(input));
    drivers.set(id, driver);
  }
  return drivers;
}

/** Where the keys are that the door reaches. */
export function bucketOf(door: DoorName): string {
  return door === "resp" ? "redis" : "default";
}
