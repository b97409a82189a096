import { drawKnobs } from "@coterie/sim";
import { describe, expect, it } from "vitest";
import { describeFailure, replayCommand } from "../src/replay/describe-failure.ts";
import { readOptions } from "../src/replay/options.ts";
import { runCase } from "../src/replay/run-case.ts";
import { describeShrunk, scenarioOf } from "../src/replay/shrink-case.ts";

const shrunk = { ...drawKnobs(7), kept: [3, 4], faults: { power: 1 } };

describe("a replay", () => {
  it("runs a case as its seed and knobs say, and the same again", async () => {
    const knobs = { kept: [1, 2, 3] };
    const first = await runCase(7, { knobs });
    expect(first).toMatchObject({ operations: 3, failure: undefined });
    expect((await runCase(7, { knobs })).traceHash).toBe(first.traceHash);
  });

  it("tells all that somebody needs to see a failure again", async () => {
    const result = await runCase(7, { knobs: shrunk, traceLinesMax: 5 });
    const failure = { checker: "freshness", violations: ["freshness default/key-1: a detail"] };
    const text = describeFailure({ ...result, failure });
    expect(text).toContain("freshness default/key-1: a detail");
    expect(text).toContain(process.version);
    expect(text).toContain("the last 5 events");
    expect(text).toContain(replayCommand(7, shrunk));
  });

  it("names in its command just the knobs that were turned", () => {
    expect(replayCommand(7, drawKnobs(7))).toBe("npm run sim:replay -- 7 --trace");
    expect(replayCommand(7, shrunk)).toContain(`--knobs '{"faults":{"power":1},"kept":[3,4]}'`);
  });

  it("keeps a shrunk case as a scenario", () => {
    expect(describeShrunk(shrunk)).toMatch(/^2 operations, \d nodes, 1 x power$/u);
    expect(scenarioOf("A story.", 7, shrunk)).toBe(
      `# A story.\nseed 7 ${JSON.stringify(shrunk)}\n  every promise kept\n`,
    );
  });

  it.each([[[]], [["x"]], [["1", "2"]], [["1", "--knobs", "{"]], [["1", "--dance"]]])(
    "refuses %j",
    (args) => {
      expect(readOptions(args)).toBeUndefined();
    },
  );
});
