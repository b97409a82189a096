import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { type NodePlans, nodePlans } from "../../src/config/node-plans.ts";

function planned(flags: Readonly<Record<string, unknown>>, count: number): NodePlans {
  const loaded = loadConfig({ env: {}, flags: { id: "a", ...flags } });
  if (!loaded.ok) throw new Error(loaded.message);
  return nodePlans(loaded.config, count);
}

describe("nodes of one machine", () => {
  it("have ids, directories and ports that follow from those of the first", () => {
    expect(planned({ data: "dir", http: "127.0.0.1:8000" }, 2)).toEqual({
      ok: true,
      plans: [1, 2].map((nth) => ({
        id: `a-${nth}`,
        data: resolve("dir", `p${nth}`),
        http: `127.0.0.1:${7999 + nth}`,
        grpc: `127.0.0.1:${7600 + nth}`,
        resp: `127.0.0.1:${7500 + nth}`,
        peer: `127.0.0.1:${7700 + nth}`,
        bootstrap: ["127.0.0.1:7701", "127.0.0.1:7702"],
      })),
    });
  });

  it("bootstrap as they are told, by ranges of ports if need be", () => {
    const outcome = planned({ bootstrap: "h1:7701-7703,h2:7701" }, 2);
    const plans = outcome.ok ? outcome.plans : [];
    expect(plans.map(({ bootstrap }) => bootstrap)).toEqual([
      ["h1:7701", "h1:7702", "h1:7703", "h2:7701"],
      ["h1:7701", "h1:7702", "h1:7703", "h2:7701"],
    ]);
  });

  it.each([
    ["in memory", { memory: true }, "memory"],
    ["of which the ports run into each other", { resp: "127.0.0.1:7402" }, "resp"],
    ["of which a port would be none", { peer: "127.0.0.1:65535" }, "peer"],
    ["of which a port is the system's choice", { http: "127.0.0.1:0" }, "http"],
    ["of which an id would be too long", { id: "x".repeat(63) }, "id"],
  ])("are refused %s", (_, flags, setting) => {
    expect(planned(flags, 2)).toMatchObject({ ok: false, setting });
    for (const processes of ["2", "auto"]) {
      const loaded = loadConfig({ env: {}, flags: { id: "a", ...flags, processes } });
      expect(loaded).toMatchObject({ ok: false, problems: [{ setting }] });
    }
  });

  it.each(["0", "100", "some", "h:2-1"])("are not %s", (text) => {
    const given = text.includes(":") ? { bootstrap: text } : { processes: text };
    expect(loadConfig({ env: {}, flags: { id: "a", ...given } })).toMatchObject({ ok: false });
  });
});
