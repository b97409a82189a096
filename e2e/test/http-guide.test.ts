import { expect, it } from "vitest";
import { guideWalk, isInstalled, runWalk } from "../src/guide-walk.ts";
import { RealCluster } from "../src/real-cluster.ts";

const walk = guideWalk("http.md", "A walk with curl");

it("docs/guide/http.md: the walk with curl prints what the page says", async () => {
  expect(walk.script).toContain("curl ");
  if (!isInstalled("curl")) {
    console.warn("curl is not installed: the commands of docs/guide/http.md were NOT run");
    return;
  }
  const cluster = await RealCluster.start({ arguments: ["--memory"] });
  try {
    expect(await runWalk(walk, cluster.doors)).toBe(walk.prints);
  } finally {
    await cluster.stop();
  }
}, 90_000);
