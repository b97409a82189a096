import { expect, it } from "vitest";
import { RealCluster, describeStorm, killStorm } from "../src/index.ts";

it("loses nothing when one node, the coordinator in use, or all nodes are killed", async () => {
  const cluster = await RealCluster.start();
  try {
    const report = await killStorm(cluster, 3);
    console.info(describeStorm(report));
    expect(report.lost).toEqual([]);
    expect(report.corrupt).toEqual([]);
    expect(report.failures).toEqual([]);
    expect(Math.min(...report.acknowledgedBefore)).toBeGreaterThanOrEqual(200);
  } finally {
    await cluster.stop();
  }
}, 180_000);
