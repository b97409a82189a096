import { expect, it } from "vitest";
import { guideWalk, isInstalled, runWalk } from "../src/guide-walk.ts";
import { RealCluster } from "../src/real-cluster.ts";

it("docs/guide/http.md: the walk runs with curl, which is installed here", async () => {
  expect(isInstalled("curl")).toBe(true);
  const walk = guideWalk("http.md", "A walk with curl");
  const cluster = await RealCluster.start();
  try {
    expect(await runWalk(walk, cluster.doors)).toBe(walk.prints);
  } finally {
    await cluster.stop();
  }
}, 120_000);
