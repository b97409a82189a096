import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Coterie } from "@coterie/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runWorkers } from "../src/client-load.ts";
import { coterie } from "../src/command.ts";
import { RealCluster } from "../src/real-cluster.ts";

const timeoutMs = 20_000;
let cluster: RealCluster;

beforeAll(async () => {
  cluster = await RealCluster.start();
  speakUpTo(1);
  await restartAll();
}, 180_000);
afterAll(() => cluster.stop());

/** What nodes speak that start from now on: an older build, or this one. */
function speakUpTo(levelMax: number): void {
  const file = join(cluster.directory, "config.json");
  const settings = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...settings, levelMax }));
}

async function restart(id: string): Promise<void> {
  const others = cluster.endpoints.filter((other) => other.id !== id);
  const node = ["--node", others.map(({ http }) => http).join()];
  expect(await coterie("drain", id, ...node)).toMatchObject({ code: 0 });
  await cluster.revive(id);
}

async function restartAll(): Promise<void> {
  for (const { id } of cluster.endpoints) await restart(id);
}

function upgrade(...words: readonly string[]): ReturnType<typeof coterie> {
  return coterie("upgrade", ...words, "--node", cluster.doors.join());
}

it("nodes are upgraded one by one under load, and the level is raised when all are", async () => {
  const client = new Coterie({ nodes: cluster.endpoints.map(({ grpc }) => grpc), timeoutMs });
  const act = async (): Promise<void> => {
    speakUpTo(2);
    await restart("n1");
    const early = await upgrade("--finalize");
    expect([early.code, early.stderr]).toEqual([6, expect.stringContaining("older-member")]);
    await restart("n2");
    await restart("n3");
    expect((await upgrade()).stderr).toContain("all speak 2: coterie upgrade --finalize");
    expect(await upgrade("--finalize")).toMatchObject({ code: 0 });
  };
  const { failures, acknowledged } = await runWorkers(client, { workers: 24, act });
  expect(failures).toEqual([]);
  const keys = [...acknowledged.keys()];
  const reads = await client.batch(keys.map((key) => ({ kind: "get" as const, key })));
  expect(reads.filter(({ ok }) => !ok)).toEqual([]);
  await client.close();
}, 180_000);

it("the older build is refused from then on, with the reason", async () => {
  speakUpTo(1);
  expect(await coterie("drain", "n2", "--node", cluster.doors.join())).toMatchObject({ code: 0 });
  const refused = await coterie(...cluster.startWords("n2"));
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining("the cluster goes by level 2, and this build speaks level 1"),
  ]);
  speakUpTo(2);
  await cluster.revive("n2");
}, 120_000);
