import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientPromises } from "../src/client-contract.ts";
import { RealCluster } from "../src/real-cluster.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("../dist/run-client-contract.js", import.meta.url));

describe("the client keeps its promises under", () => {
  const folder = mkdtempSync(join(tmpdir(), "coterie-node-"));
  let cluster: RealCluster;
  beforeAll(async () => {
    cluster = await RealCluster.start();
  }, 90_000);
  afterAll(async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(["22", "24"])(
    "Node %s",
    async (version) => {
      const prefix = join(folder, version);
      // What the package `node` would fetch by an install script: a binary, and nothing else.
      const name = `node-${process.platform}-${process.arch}`;
      const words = ["install", "--no-save", "--prefix", prefix, `${name}@${version}`];
      await run("npm", words, { cwd: folder, timeout: 120_000 });
      const binary = join(prefix, "node_modules", name, "bin/node");
      const nodes = cluster.endpoints.map(({ grpc }) => grpc);
      const { stdout } = await run(binary, [script, `node ${version}`, ...nodes], {
        timeout: 120_000,
      });
      const [ran = "", kept] = stdout.trim().split(" ");
      expect(ran.split(".")[0]).toBe(version);
      expect(kept).toBe(`${clientPromises.length}`);
    },
    240_000,
  );
});
