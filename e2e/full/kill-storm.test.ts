import { expect, it } from "vitest";
import { killStorm, problemsOf } from "../src/kill-storm.ts";
import { RealCluster } from "../src/real-cluster.ts";

it.each([
  ["log", 20, 12],
  ["leveldb", 10, 6],
])(
  "with engine %s loses nothing when nodes are killed %i times",
  async (engine, kills, rounds) => {
    const cluster = await RealCluster.start({ arguments: ["--engine", engine] });
    try {
      const report = await killStorm(cluster, rounds, console.info);
      expect(report.kills).toBe(kills);
      expect(problemsOf(report)).toEqual([]);
    } finally {
      await cluster.stop();
    }
  },
  900_000,
);
