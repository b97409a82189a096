import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { RealCluster } from "../src/real-cluster.ts";

/** What Prometheus' own checker says of its input, and whether it is content. */
function promtool(args: readonly string[], input = ""): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync("promtool", args, { input, encoding: "utf8" });
  return { status, said: `${stdout}${stderr}` };
}

it("Prometheus reads docs/operations/alerts.yaml as rules", () => {
  const file = new URL("../../docs/operations/alerts.yaml", import.meta.url).pathname;
  const { status, said } = promtool(["check", "rules", file]);
  expect(said).toMatch(/SUCCESS: \d+ rules found/u);
  expect(status).toBe(0);
});

it("Prometheus reads /metrics of every node, and finds nothing to say of it", async () => {
  const cluster = await RealCluster.start();
  try {
    for (const door of cluster.doors) {
      const metrics = await (await fetch(`http://${door}/metrics`)).text();
      expect(metrics).toContain("coterie_");
      expect(promtool(["check", "metrics"], metrics)).toEqual({ status: 0, said: "" });
    }
  } finally {
    await cluster.stop();
  }
}, 120_000);
