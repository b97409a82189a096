import { defineConfig } from "vitest/config";

// Tests run on the sources of every workspace (the "coterie-source" export condition), so that a
// failure points at the line that was written; e2e tests start the built command.
const conditions = ["coterie-source"];

/** Whose modules hold no state: their test files share a process, and load everything once. */
const pure = ["core", "storage", "cluster", "protocol", "sim"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          include: pure.map((name) => `packages/${name}/test/**/*.test.ts`),
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "processes",
          include: [
            "packages/*/test/**/*.test.ts",
            "e2e/test/**/*.test.ts",
            "examples/*/test/**/*.test.ts",
            "bench/test/**/*.test.ts",
            "tools/test/**/*.test.ts",
          ],
          exclude: pure.map((name) => `packages/${name}/**`),
        },
      },
    ],
  },
});
