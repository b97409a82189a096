import { type NodeId, utf8 } from "@coterie/core";
import { expect, it } from "vitest";
import { SimCluster, World } from "../src/index.ts";
import { drain } from "./drain.ts";

it("puts back what a node's disk held before, and the node knows nothing newer", async () => {
  const world = new World({ seed: 1, drain });
  const cluster = new SimCluster(world, { nodes: 1 });
  const [id] = cluster.ids as readonly [NodeId];
  const key = { bucket: "default", key: utf8("k") };
  const input = {
    contentType: "",
    context: undefined,
    writeId: undefined,
    returnBody: false,
    ifAbsent: false,
  };
  await cluster.start();
  const image = cluster.disk(id).image();
  const written = cluster.ask(id, (node) => node.put(key, { ...input, value: utf8("v") }, {}));
  expect((await world.runUntilSettled(written))?.ok).toBe(true);
  cluster.crash(id);
  cluster.replaceDisk(id, image);
  expect((await world.runUntilSettled(cluster.startNode(id))).ok).toBe(true);
  const own = cluster.ask(id, (node) => node.readReplica(key));
  expect((await world.runUntilSettled(own))?.state).toBe("absent");
});
