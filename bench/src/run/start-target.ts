import type { TargetName } from "../drivers/open-driver.ts";
import { CoterieTarget } from "../targets/coterie-target.ts";
import { remoteTarget } from "../targets/remote-target.ts";
import type { Target } from "../targets/target.ts";

type Start = (parent: string, nodes: readonly string[] | undefined) => Promise<Target>;

const starts: Readonly<Record<TargetName, Start>> = {
  coterie: (parent, nodes) =>
    nodes === undefined ? CoterieTarget.start(parent) : remoteTarget(nodes),
  redis: async (parent) => (await import("../targets/redis-target.ts")).startRedis(parent),
  etcd: async (parent) => (await import("../targets/etcd-target.ts")).startEtcd(parent),
  nats: async (parent) => (await import("../targets/nats-target.ts")).startNats(parent),
};

/** Starts a store with its data under `parent`, or finds the running cluster of `nodes`. */
export function startTarget(
  name: TargetName,
  parent: string,
  nodes: readonly string[] | undefined,
): Promise<Target> {
  return starts[name](parent, nodes);
}
