import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { guideWalk, runWalk } from "../src/guide-walk.ts";
import { RealCluster } from "../src/real-cluster.ts";

const bin = fileURLToPath(import.meta.resolve("coterie/bin/coterie.js"));

it.each([
  ["Strict: one side serves", 3],
  ["Sloppy: both sides serve", 5],
])(
  "docs/guide/partition.md, %s: the cluster does what the page says",
  async (heading, nodes) => {
    const walk = guideWalk("partition.md", heading);
    const cluster = await RealCluster.start({ arguments: ["--nodes", `${nodes}`] });
    try {
      const commands = walk.script.replace(/^coterie dev .*$/gmu, `$& --data ${cluster.directory}`);
      const script = `coterie() { '${process.execPath}' '${bin}' "$@"; }\n${commands}`;
      let printed = await runWalk({ ...walk, script }, cluster.doors);
      for (const [at, door] of cluster.doors.entries()) {
        printed = printed.replaceAll(door, `127.0.0.1:740${at + 1}`);
      }
      expect(printed).toBe(walk.prints);
    } finally {
      await cluster.stop();
    }
  },
  120_000,
);
