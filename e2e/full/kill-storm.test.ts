import { expect, it } from "vitest";
import { killStorm, problemsOf } from "../src/kill-storm.ts";
import { RealCluster } from "../src/real-cluster.ts";

it.each(["log", "leveldb"])(
  "loses nothing when nodes are killed thirty times (%s)",
  async (engine) => {
    const cluster = await RealCluster.start({ arguments: ["--engine", engine] });
    try {
      const report = await killStorm(cluster, 18, console.info);
      expect(report.kills).toBe(30);
      expect(problemsOf(report)).toEqual([]);
    } finally {
      await cluster.stop();
    }
  },
  900_000,
);
