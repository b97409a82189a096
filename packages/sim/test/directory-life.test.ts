import { expect, it } from "vitest";
import { runDirectoryLife } from "../src/index.ts";

it.each([
  ["a log", false],
  ["an engine", true],
])(
  "no life of a directory brings back what was removed, nor loses what was put: %s",
  async (...[, hasEngine]) => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const violations = await runDirectoryLife(
        seed,
        () => new Promise((resolve) => setImmediate(resolve)),
        undefined,
        hasEngine,
      );
      expect({ seed, violations }).toEqual({ seed, violations: [] });
    }
  },
);
