import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeMetrics } from "../../src/observability/node-metrics.ts";
import { oneNode } from "../http/one-node.ts";

const page = readFileSync(
  new URL("../../../../docs/operations/metrics.md", import.meta.url),
  "utf8",
);

const noPeers = {
  messagesSent: 3,
  messagesReceived: 0,
  operationsSent: 0,
  operationsReceived: 0,
  bytesSent: 0,
  bytesReceived: 0,
  reconnects: 0,
  pending: 0,
  refusals: 0,
  malformed: 0,
  expired: 0,
};

let metrics: NodeMetrics;

beforeAll(async () => {
  const { node, app } = await oneNode();
  metrics = new NodeMetrics(node, () => noPeers);
  await app.request("http://localhost/v1/buckets/default/keys/k", { method: "PUT", body: "x" });
});

afterAll(() => metrics.stop());

describe("metrics", () => {
  it("are all documented, with their kinds, and nothing else is", async () => {
    const registered = (await metrics.registry.getMetricsAsJSON()).map(
      ({ name, type }) => `${name} ${String(type)}`,
    );
    const documented = [...page.matchAll(/^\| `(coterie_\w+)` \| (\w+) \|/gmu)].map(
      ([, name, kind]) => `${name} ${kind}`,
    );
    expect(documented.toSorted()).toEqual(registered.toSorted());
  });

  it("count what happened, and not twice when they are read twice", async () => {
    metrics.observe({ operation: "put", status: 204, ms: 0.4 });
    await metrics.render();
    const { text } = await metrics.render();
    expect(text).toMatch(/^coterie_puts_total 1$/mu);
    expect(text).toMatch(/^coterie_store_appended_records_total [1-9]/mu);
    expect(text).toMatch(/^coterie_peer_messages_sent_total 3$/mu);
    expect(text).toContain('coterie_http_requests_total{operation="put",status="204"} 1');
    expect(text).toContain('coterie_http_request_seconds_bucket{le="0.0005",operation="put"} 1');
  });
});
