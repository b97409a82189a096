import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { meteredNode } from "./metered-node.ts";

const page = (name: string): string =>
  readFileSync(new URL(`../../../../docs/operations/${name}`, import.meta.url), "utf8");

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

const dashboard = JSON.parse(page("grafana-dashboard.json")) as {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
};

/** Each rule takes the same lines; a quoted expression is quoted for YAML only. */
const ruleLines =
  /- alert: (\w+)\n +expr: (["']?)(.+)\2\n +for: \d+m\n +labels:\n +severity: (\w+)\n/gu;
const rules = [...page("alerts.yaml").matchAll(ruleLines)].map(
  ([, alert = "", , expr = "", severity = ""]) => ({ alert, expr, severity }),
);

const functions = new Set(["rate", "increase", "sum", "max", "min", "abs", "time"]);
functions.add("histogram_quantile").add("by").add("label_values");
const labels = new Set(["instance", "job", "le", "operation", "status", "code", "bucket", "kind"]);
labels.add("door").add("peer").add("state").add("target");

const token = new RegExp(
  [
    String.raw`\s+`,
    String.raw`"(?:[^"\\]|\\.)*"`,
    String.raw`\d+(?:\.\d+)?[smhd]?`,
    "=~|!~|!=|==|>=|<=",
    String.raw`[-+*/%<>=(){}[\],]`,
    String.raw`[a-zA-Z_:$][\w:$]*`,
  ].join("|"),
  "uy",
);

/** What an expression names that nobody knows, or where it is no PromQL at all. */
function faults(expression: string, metrics: ReadonlySet<string>): readonly string[] {
  const found: string[] = [];
  const open: string[] = [];
  const closing = new Map([
    [")", "("],
    ["}", "{"],
    ["]", "["],
  ]);
  for (let at = 0; at < expression.length; at = token.lastIndex) {
    token.lastIndex = at;
    const [text] = token.exec(expression) ?? [];
    if (text === undefined) return [...found, `no token at ${expression.slice(at)}`];
    if ("({[".includes(text)) open.push(text);
    if (closing.has(text) && open.pop() !== closing.get(text)) found.push(`unpaired ${text}`);
    if (!/^[a-zA-Z_$]/u.test(text)) continue;
    const isKnown = [...functions, ...labels, "up", "or", "$__rate_interval"].includes(text);
    if (!isKnown && !metrics.has(text)) found.push(`unknown ${text}`);
  }
  return open.length === 0 ? found : [...found, `open ${open.join("")}`];
}

const metrics = new Set<string>();
const node = meteredNode();

beforeAll(async () => {
  for (const { name, type } of await node.metrics.registry.getMetricsAsJSON()) {
    const suffixes = String(type) === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    for (const suffix of suffixes) metrics.add(`${name}${suffix}`);
  }
});

afterAll(() => node.metrics.stop());

describe("the check of expressions", () => {
  it.each([
    ["rate(coterie_nonsense_total[5m])", "unknown coterie_nonsense_total"],
    ["sum by (colour) (coterie_epoch)", "unknown colour"],
    ["rate(coterie_gets_total[5m]", "open ("],
    ['rate(coterie_gets_total{code="x"[5m])', "unpaired )"],
    ["coterie_epoch ? 1", "no token at ? 1"],
    ["coterie_siblings > 1", "unknown coterie_siblings"],
  ])("finds what is wrong with %s", (expression, fault) => {
    expect(faults(expression, metrics)).toContain(fault);
  });
});

describe("the dashboard", () => {
  const graphs = dashboard.panels.filter(({ type }) => type === "timeseries");

  it("names only what nodes measure", () => {
    const wrong = graphs.flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr }) => faults(expr, metrics).map((fault) => `${title}: ${fault}`)),
    );
    expect(wrong).toEqual([]);
    expect(graphs.every(({ targets }) => targets !== undefined && targets.length > 0)).toBe(true);
    expect(graphs.length).toBeGreaterThan(20);
  });

  it("is laid out without overlaps, under names of its own, for Grafana 10", () => {
    const { panels } = dashboard;
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(38);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(["datasource", "instance"]);
  });
});

describe("the alerts", () => {
  it("name only what nodes measure", () => {
    const wrong = rules.flatMap(({ alert, expr }) =>
      faults(expr, metrics).map((fault) => `${alert}: ${fault}`),
    );
    expect(wrong).toEqual([]);
  });

  it("are all read, and all explained, with their severity", () => {
    const names = [...page("alerts.yaml").matchAll(/- alert: (\w+)/gu)].map(([, name]) => name);
    expect(rules.map(({ alert }) => alert)).toEqual(names);
    const explained = [
      ...page("monitoring.md").matchAll(/^\| `(Coterie\w+)` \| [\w ]+ \| (\w+) \|/gmu),
    ].map(([, alert, severity]) => ({ alert, severity }));
    expect(explained).toEqual(rules.map(({ alert, severity }) => ({ alert, severity })));
    expect(new Set(rules.map(({ severity }) => severity))).toEqual(
      new Set(["critical", "warning"]),
    );
  });
});
