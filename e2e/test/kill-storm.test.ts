import { expect, it } from "vitest";
import { killStorm, problemsOf } from "../src/kill-storm.ts";
import { RealCluster } from "../src/real-cluster.ts";

it("loses nothing when one node, the coordinator in use, or all nodes are killed", async () => {
  const cluster = await RealCluster.start();
  try {
    const report = await killStorm(cluster, 3, console.info);
    expect(report.kills).toBe(5);
    expect(problemsOf(report)).toEqual([]);
  } finally {
    await cluster.stop();
  }
}, 180_000);
