import { Coterie } from "@coterie/client";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runClientLoad } from "../src/client-load.ts";
import { RealCluster } from "../src/real-cluster.ts";

let cluster: RealCluster;
let nodes: readonly string[];

beforeEach(async () => {
  cluster = await RealCluster.start();
  nodes = cluster.endpoints.map(({ grpc }) => grpc);
}, 90_000);
afterEach(() => cluster.stop());

// Long enough for a busy machine: what is tested is that a node is lost, not how fast others are.
const timeoutMs = 20_000;
const load = { operationsPerSecond: 1000, durationMs: 3000 };

it("a node that is killed under load fails nothing, with the default retries", async () => {
  const coterie = new Coterie({ nodes, timeoutMs });
  const kill = { ms: 1000, act: () => cluster.kill("n2") };
  const { begun, failures, acknowledged } = await runClientLoad(coterie, { ...load, at: kill });
  expect(failures).toEqual([]);
  expect(begun).toBeGreaterThan(2000);
  expect(coterie.statistics.connectionsBroken).toBeGreaterThan(0);
  const keys = [...acknowledged.keys()];
  const reads = await coterie.batch(keys.map((key) => ({ kind: "get" as const, key })));
  const found = reads.filter(
    (read) => read.ok && read.kind === "get" && read.result.kind === "value",
  );
  expect(found).toHaveLength(keys.length);
  await coterie.close();
}, 60_000);

it("with retries off, only what was in flight on its connections fails", async () => {
  const coterie = new Coterie({ nodes, timeoutMs, retries: false, hedge: false });
  const [, second = ""] = nodes;
  const kill = { ms: 1000, act: () => cluster.kill("n2") };
  const { failures } = await runClientLoad(coterie, { ...load, at: kill });
  const [first] = failures;
  for (const { error, number } of failures) {
    expect(error.code).toBe("connection-lost");
    expect(error.message).toContain(second);
    // Nothing fails that was begun after the break was noticed.
    expect(number).toBeLessThan(first?.begunWhenItFailed ?? 0);
  }
  await coterie.close();
}, 60_000);
