import { RealCluster } from "@coterie/e2e";
import { coterieDoors } from "./coterie-doors.ts";
import type { Target } from "./target.ts";

const durable = "fsynced on 2 of 3 nodes before it is acknowledged; a read asks 2 of 3";

/** Three Coterie nodes on this machine's disk, as processes of their own. */
export class CoterieTarget implements Target {
  readonly name: Target["name"] = "coterie";
  readonly description: string = `Coterie, three nodes: a write is ${durable}`;
  readonly addresses: Target["addresses"];
  readonly pids: readonly number[];
  readonly metricsDoors: readonly string[];
  readonly #cluster: RealCluster;

  private constructor(cluster: RealCluster, addresses: Target["addresses"]) {
    this.#cluster = cluster;
    this.addresses = addresses;
    this.pids = cluster.pids;
    this.metricsDoors = cluster.doors;
  }

  static async start(parent: string): Promise<CoterieTarget> {
    const cluster = await RealCluster.start({ parent });
    return new CoterieTarget(cluster, await coterieDoors(cluster.doors));
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }

  /** Stops all nodes and starts them on their data; milliseconds until all are ready. */
  async restart(): Promise<number> {
    const { directory } = this.#cluster;
    await this.#cluster.stop({ keepData: true });
    const started = performance.now();
    const again = await RealCluster.start({ directory });
    const ms = performance.now() - started;
    await again.stop({ keepData: true });
    return ms;
  }
}
