import { expect, it } from "vitest";
import { RealCluster, describeStorm, killStorm } from "../src/index.ts";

it("loses nothing in more than twenty kills under load", async () => {
  const cluster = await RealCluster.start();
  try {
    const report = await killStorm(cluster, 21);
    console.info(describeStorm(report));
    expect(report.kills).toBeGreaterThanOrEqual(20);
    expect(report.lost).toEqual([]);
    expect(report.corrupt).toEqual([]);
    expect(report.failures).toEqual([]);
    expect(Math.min(...report.acknowledgedBefore)).toBeGreaterThanOrEqual(200);
  } finally {
    await cluster.stop();
  }
}, 600_000);
