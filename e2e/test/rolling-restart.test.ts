import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Coterie } from "@coterie/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runWorkers } from "../src/client-load.ts";
import { coterie } from "../src/command.ts";
import { HttpClient } from "../src/http-client.ts";
import { RealCluster } from "../src/real-cluster.ts";

// Long enough for a busy machine: what is tested is that nothing fails, not how fast it is.
const timeoutMs = 20_000;
const http = new HttpClient();
let cluster: RealCluster;

beforeAll(async () => {
  cluster = await RealCluster.start();
}, 90_000);
afterAll(() => {
  http.close();
  return cluster.stop();
});

interface LogLine {
  readonly event?: string;
  readonly wasCleanStop?: boolean;
}

function linesOf(id: string): readonly LogLine[] {
  const text = readFileSync(join(cluster.directory, id, "coterie.log"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LogLine);
}

/** Who has minted the values that the node's own blind puts of a key have left. */
async function actorsOf(door: string): Promise<readonly string[]> {
  const path = "/v1/buckets/default/keys/minted";
  await http.send(door, "PUT", path, { body: "v" });
  const headers = { Accept: "application/json" };
  const { body } = await http.send(door, "GET", path, { headers });
  const { siblings } = JSON.parse(body.toString()) as {
    readonly siblings: readonly { readonly dot: string }[];
  };
  return siblings.map(({ dot }) => dot.split(":")[0] ?? "");
}

/** One node after the other ends in order and starts again; the next one when it serves. */
async function restartAll(): Promise<void> {
  for (const { id } of cluster.endpoints) {
    const others = cluster.endpoints.filter((other) => other.id !== id);
    const drained = await coterie("drain", id, "--node", others[0]?.http ?? "");
    expect(drained).toMatchObject({ code: 0 });
    await cluster.revive(id);
  }
}

it("all nodes are restarted one by one under load, and no operation fails", async () => {
  const [door = ""] = cluster.doors;
  const [actor] = await actorsOf(door);
  const nodes = cluster.endpoints.map(({ grpc }) => grpc);
  const client = new Coterie({ nodes, timeoutMs });
  const load = { workers: 24, act: restartAll };
  const { begun, failures, acknowledged } = await runWorkers(client, load);
  expect(failures).toEqual([]);
  expect(begun).toBeGreaterThan(200);
  const keys = [...acknowledged.keys()];
  const reads = await client.batch(keys.map((key) => ({ kind: "get" as const, key })));
  const missing = reads.flatMap((read, index) => {
    const isFound = read.ok && read.kind === "get" && read.result.kind === "value";
    return isFound ? [] : [{ key: keys[index], read }];
  });
  expect(missing).toEqual([]);
  await client.close();
  for (const { id } of cluster.endpoints) {
    const lines = linesOf(id);
    const opened = lines.filter(({ event }) => event === "store-opened");
    expect(opened.map(({ wasCleanStop }) => wasCleanStop)).toEqual([false, true]);
    // Nobody had to find out by itself that somebody was gone.
    expect(lines.filter(({ event }) => event === "member-left")).not.toEqual([]);
  }
  expect(await actorsOf(door)).toEqual([actor, actor]);
}, 120_000);
