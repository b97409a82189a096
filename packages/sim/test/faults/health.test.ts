import type { NodeId, PeerAddress } from "@coterie/core";
import { beforeEach, describe, expect, it } from "vitest";
import { SimCluster, World } from "../../src/index.ts";
import { Health } from "../../src/faults/health.ts";
import { Supervisor } from "../../src/faults/supervisor.ts";
import { drain } from "../drain.ts";

const ids = ["n1", "n2", "n3"] as NodeId[];
const [n1, n2, n3] = ids as [NodeId, NodeId, NodeId];
const address = (id: NodeId): PeerAddress => id as string as PeerAddress;

describe("an operation through n1 that needs two of three replicas", () => {
  let cluster: SimCluster;
  let health: Health;
  const bereft = new Set<NodeId>();
  const mustSucceed = (): boolean => health.isWell(n1, ids, 2);

  beforeEach(async () => {
    bereft.clear();
    cluster = new SimCluster(new World({ seed: 1, drain }), { nodes: 3 });
    health = new Health(cluster, new Supervisor(cluster), bereft);
    await cluster.start();
  });

  it("must succeed when all is well", () => {
    expect(mustSucceed()).toBe(true);
  });

  it.each<[string, () => void]>([
    ["is down", () => cluster.crash(n3)],
    ["is paused", () => cluster.pause(n3)],
    ["is cut off", () => cluster.network.partition([address(n3)], [address(n1), address(n2)])],
    ["may have lost records", () => bereft.add(n3)],
  ])("must succeed while a third node %s", (_what, strike) => {
    strike();
    expect(mustSucceed()).toBe(true);
  });

  it.each<[string, () => void]>([
    ["it is paused itself", () => cluster.pause(n1)],
    ["two are down", () => [n2, n3].forEach((id) => cluster.crash(id))],
    ["it reaches nobody", () => ids.slice(1).forEach((id) => cut(n1, id))],
    ["two are slow", () => [n2, n3].forEach((id) => cluster.network.slow(address(id), 9))],
    ["its disk is slow", () => (cluster.disk(n1).slowdown = 9)],
    ["its disk fails", () => cluster.disk(n1).inject({ operation: "sync", error: "io" })],
    ["it may pass a write on to one that reaches nobody else", () => cut(n2, n3)],
  ])("may fail when %s", (_what, strike) => {
    strike();
    expect(mustSucceed()).toBe(false);
  });

  it("is in another state once a process has ended, or a stream", async () => {
    const before = health.state(n1, ids);
    cluster.network.breakStream(address(n1), address(n2));
    const broken = health.state(n1, ids);
    expect(broken).not.toBe(before);
    cluster.crash(n3);
    await cluster.world.runUntilSettled(cluster.startNode(n3));
    expect(health.state(n1, ids)).not.toBe(broken);
  });

  function cut(from: NodeId, to: NodeId): void {
    cluster.network.cut(address(from), address(to));
  }
});
