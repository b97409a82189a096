import { describe, expect, it } from "vitest";
import { Campaign } from "../../src/fuzz/campaign.ts";
import { Feedback } from "../../src/fuzz/feedback.ts";
import { findTargets, loadTarget, readCorpus, readFound } from "../../src/fuzz/target.ts";

const targets = findTargets(new URL("../../..", import.meta.url).pathname);
const found = targets.flatMap(({ name, path }) =>
  readFound(path).map((each) => ({ name, path, problem: each.name, input: each.input })),
);

describe("inputs that once found something", () => {
  it.each(found)("$name: $problem", async ({ path, input }) => {
    const { run } = await loadTarget(path);
    await expect(Promise.resolve(run(input))).resolves.toBeUndefined();
  });
});

describe("a short campaign, of which npm run fuzz is the long form", () => {
  it.each(targets)("finds nothing in $name", async ({ path }) => {
    const target = await loadTarget(path);
    expect(target.seeds.length).toBeGreaterThan(0);
    const campaign = new Campaign({
      target,
      feedback: new Feedback(),
      seed: "smoke",
      corpus: readCorpus(path),
      isBlind: false,
      beforeRun: () => undefined,
    });
    await campaign.run(500);
    expect(campaign.runs).toBeGreaterThan(500);
    expect(campaign.report().findings).toEqual([]);
  });
});
