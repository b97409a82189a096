import { describe, expect, it } from "vitest";
import { NodeMetrics, quantile, since } from "../src/metrics/node-metrics.ts";
import { nodeRates } from "../src/metrics/node-rates.ts";

function scraped(text: string, atMs: number): Parameters<typeof nodeRates>[0] {
  return { metrics: NodeMetrics.parse(text), atMs, roundTripMs: 1 };
}

describe("a node's metrics", () => {
  it("are read with their labels; other lines are passed over", () => {
    const metrics = NodeMetrics.parse(
      '# HELP a b\n# TYPE a gauge\na 1\na_b{x="1",y="q\\"}"} 2.5\na_b{x="2"} 1e3\nnonsense\n',
    );
    expect(metrics.value("a")).toBe(1);
    expect(metrics.value("b")).toBeUndefined();
    expect(metrics.sum("a_b")).toBe(1002.5);
    expect(metrics.samples("a_b")[0]?.labels).toEqual({ x: "1", y: 'q\\"}' });
  });

  it("of several histograms are added up by their bounds", () => {
    const metrics = NodeMetrics.parse(
      'http_s_bucket{le="1",op="get"} 2\nhttp_s_bucket{le="+Inf",op="get"} 3\n' +
        'grpc_s_bucket{le="1",op="get"} 1\ngrpc_s_bucket{le="+Inf",op="get"} 1\n' +
        'grpc_s_bucket{le="1",op="put"} 9\n',
    );
    const counts = metrics.buckets(/^(?:http|grpc)_s$/u, { op: "get" });
    expect([...counts]).toEqual([
      [1, 3],
      [Number.POSITIVE_INFINITY, 4],
    ]);
  });

  it.each([
    [0.25, 0.5],
    [0.5, 1],
    [0.75, 1.5],
    [1, 2],
  ])("have quantiles, between bounds in proportion: %d", (share, value) => {
    const histogram = new Map([
      [1, 50],
      [2, 100],
      [Number.POSITIVE_INFINITY, 100],
    ]);
    expect(quantile(histogram, share)).toBeCloseTo(value, 5);
  });

  it("have no quantile of nothing, and the last bound for what exceeds it", () => {
    expect(quantile(new Map(), 0.5)).toBeUndefined();
    const beyond = new Map([
      [1, 0],
      [Number.POSITIVE_INFINITY, 3],
    ]);
    expect(quantile(beyond, 0.5)).toBe(1);
  });

  it("are compared with the reading before, unless the node began anew", () => {
    const before = new Map([[Number.POSITIVE_INFINITY, 5]]);
    expect([...since(before, new Map([[Number.POSITIVE_INFINITY, 7]])).values()]).toEqual([2]);
    expect([...since(before, new Map([[Number.POSITIVE_INFINITY, 3]])).values()]).toEqual([3]);
  });

  it("become rates of the interval", () => {
    const before = scraped("coterie_gets_total 100\ncoterie_puts_total 50\n", 1000);
    const after = scraped(
      "coterie_gets_total 300\ncoterie_puts_total 20\ncoterie_requests_in_flight 4\n" +
        'coterie_http_request_seconds_bucket{le="0.01",operation="get"} 10\n' +
        'coterie_http_request_seconds_bucket{le="+Inf",operation="get"} 10\n',
      3000,
    );
    expect(nodeRates(before, after)).toMatchObject({
      getsPerSecond: 100,
      // It began anew: fifty puts were of an earlier life.
      putsPerSecond: 10,
      inFlight: 4,
      getP50Ms: 5,
      putP50Ms: undefined,
    });
  });
});
