import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeMetrics } from "../../src/observability/node-metrics.ts";
import { meteredNode } from "./metered-node.ts";

const page = readFileSync(
  new URL("../../../../docs/operations/metrics.md", import.meta.url),
  "utf8",
);

const aValue = {
  value: new Uint8Array(1),
  contentType: "",
  context: undefined,
  writeId: undefined,
  returnBody: false,
  ifAbsent: false,
};

let metrics: NodeMetrics;

beforeAll(async () => {
  const metered = meteredNode();
  ({ metrics } = metered);
  await metered.node.start();
  const key = { bucket: "default", key: new Uint8Array([1]) };
  await metered.node.put(key, aValue, {});
});

afterAll(() => metrics.stop());

function linesOf(text: string, name: string): readonly string[] {
  return text.split("\n").filter((line) => line.startsWith(`${name}{`));
}

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
    metrics.observe({ operation: "put", status: 504, ms: 0.6 });
    metrics.observe({ operation: "put", status: 504, ms: 5000 });
    await metrics.render();
    const { text } = await metrics.render();
    expect(text).toMatch(/^coterie_puts_total 1$/mu);
    expect(text).toMatch(/^coterie_store_appended_records_total [1-9]/mu);
    expect(text).toMatch(/^coterie_peer_messages_sent_total 3$/mu);
    expect(linesOf(text, "coterie_http_requests_total")).toEqual([
      'coterie_http_requests_total{operation="put",status="204"} 1',
      'coterie_http_requests_total{operation="put",status="504"} 2',
    ]);
    const bucket = (le: string): string => `_bucket{le="${le}",operation="put"}`;
    for (const line of [
      `${bucket("0.0005")} 1`,
      `${bucket("0.001")} 2`,
      `${bucket("2.5")} 2`,
      `${bucket("+Inf")} 3`,
      '_sum{operation="put"} 5.001',
      '_count{operation="put"} 3',
    ]) {
      expect(text).toContain(`coterie_http_request_seconds${line}\n`);
    }
  });
});
