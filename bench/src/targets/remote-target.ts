import { coterieDoors } from "./coterie-doors.ts";
import type { Target } from "./target.ts";

/** A cluster that runs already, and whose processes are not looked at. */
export async function remoteTarget(nodes: readonly string[]): Promise<Target> {
  const doors = nodes.map((node) => node.replace(/^https?:\/\//u, "").replace(/\/$/u, ""));
  return {
    name: "coterie",
    description: `the cluster of ${doors.join(", ")}`,
    addresses: await coterieDoors(doors),
    pids: [],
    metricsDoors: doors,
    stop: () => Promise.resolve(),
  };
}
