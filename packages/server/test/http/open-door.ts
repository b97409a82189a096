import type { CoterieNode } from "@coterie/cluster";
import { type HttpDoor, type ListenOptions, listenHttp } from "../../src/doors/http/listen.ts";
import { oneNode } from "./one-node.ts";

/** A cluster of one node behind a real HTTP door. */
export async function openDoor(
  options: Parameters<typeof oneNode>[0] & Partial<ListenOptions> = {},
): Promise<{ readonly door: HttpDoor; readonly node: CoterieNode }> {
  const { connectionsMax = 1000, patience, ...rest } = options;
  const { app, node } = await oneNode(rest);
  const opened = await listenHttp({
    address: "127.0.0.1:0",
    connectionsMax,
    ...(patience !== undefined && { patience }),
  });
  if (!opened.ok) throw new Error(opened.message);
  opened.door.serve(app);
  return { door: opened.door, node };
}
