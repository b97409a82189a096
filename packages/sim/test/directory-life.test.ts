import { expect, it } from "vitest";
import { runDirectoryLife } from "../src/index.ts";

it("no life of a directory brings back what was removed, or loses what was put", async () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const violations = await runDirectoryLife(
      seed,
      () => new Promise((resolve) => setImmediate(resolve)),
    );
    expect({ seed, violations }).toEqual({ seed, violations: [] });
  }
});
