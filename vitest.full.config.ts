import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** What other people's clients and suites make of one cluster each: two of these at a time. */
const pairs = [
  "e2e/full/redis-{hiredis,libraries,programs,tcl}.test.ts",
  "e2e/full/{client-node-versions,keyv}.test.ts",
];

// The long tests, each with a cluster of its own.
const full = mergeConfig(
  base,
  defineConfig({ test: { testTimeout: 600_000, env: { STUCK_FILE_MS: "1200000" } } }),
);

export default {
  ...full,
  test: {
    ...full.test,
    // The projects of the usual tests would bring their own files.
    projects: [
      {
        extends: true,
        test: {
          name: "pairs",
          include: pairs,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // These measure, wait for seconds that are short, or take both cores.
        extends: true,
        test: {
          name: "single",
          include: ["e2e/full/**/*.test.ts", "packages/*/test/**/*.full.ts"],
          exclude: pairs,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
};
