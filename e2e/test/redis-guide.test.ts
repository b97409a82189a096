import { expect, it } from "vitest";
import { guideWalk, isInstalled, runWalk } from "../src/guide-walk.ts";
import { RealCluster } from "../src/real-cluster.ts";

const walk = guideWalk("redis.md", "A walk with redis-cli");

it("docs/guide/redis.md: the walk with redis-cli prints what the page says", async () => {
  expect(walk.script).toContain("redis-cli ");
  if (!isInstalled("redis-cli")) {
    console.warn("redis-cli is not installed: the commands of docs/guide/redis.md were NOT run");
    return;
  }
  const cluster = await RealCluster.start({ arguments: ["--memory"] });
  try {
    let { script } = walk;
    for (const [at, { resp }] of cluster.endpoints.entries()) {
      script = script.replaceAll(`127.0.0.1:750${at + 1}`, resp);
    }
    expect(await runWalk({ ...walk, script }, [])).toBe(walk.prints);
  } finally {
    await cluster.stop();
  }
}, 90_000);
