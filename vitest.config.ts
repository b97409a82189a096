import { defineConfig } from "vitest/config";

// Tests run on the sources of every workspace (the "coterie-source" export condition), so that a
// failure points at the line that was written; e2e tests start the built command.
const conditions = ["coterie-source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "e2e/test/**/*.test.ts",
      "examples/*/test/**/*.test.ts",
      "bench/test/**/*.test.ts",
      "tools/test/**/*.test.ts",
    ],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
