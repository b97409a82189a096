import { expect, it } from "vitest";
import { killStorm, problemsOf } from "../src/kill-storm.ts";
import { RealCluster } from "../src/real-cluster.ts";

it("loses nothing when nodes are killed thirty times under load", async () => {
  const cluster = await RealCluster.start();
  try {
    const report = await killStorm(cluster, 18, console.info);
    expect(report.kills).toBe(30);
    expect(problemsOf(report)).toEqual([]);
  } finally {
    await cluster.stop();
  }
}, 900_000);
