import { Coterie } from "@coterie/client";
import { expect, it } from "vitest";
import { runClientLoad } from "../src/client-load.ts";
import { RealCluster } from "../src/real-cluster.ts";

it("a node that stands still under load fails nothing, with the default retries", async () => {
  const cluster = await RealCluster.start();
  const nodes = cluster.endpoints.map(({ grpc }) => grpc);
  const coterie = new Coterie({ nodes, timeoutMs: 20_000 });
  try {
    const { failures } = await runClientLoad(coterie, {
      operationsPerSecond: 1000,
      durationMs: 6000,
      at: { ms: 1000, act: async () => cluster.pause("n2") },
    });
    cluster.resume("n2");
    expect(failures).toEqual([]);
  } finally {
    await coterie.close();
    await cluster.stop();
  }
}, 120_000);
