import { defineConfig } from "vitest/config";

// Tests run on the sources of every workspace (the "coterie-source" export condition), so that a
// failure points at the line that was written; e2e tests start the built command.
const conditions = ["coterie-source"];

/**
 * What keeps nothing beyond a test: these test files share a process, and load everything once. Not
 * those that measure memory, or listen to what happens to their process.
 */
const shared = [
  "packages/{core,storage,cluster,protocol,sim,client}/test/**/*.test.ts",
  "packages/server/test/{config,grpc,http2}/**/*.test.ts",
];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    setupFiles: ["tools/stuck-tests.js"],
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          include: shared,
          isolate: false,
          setupFiles: ["tools/bounded-properties.js"],
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: [
            "packages/*/test/**/*.test.ts",
            "e2e/test/**/*.test.ts",
            "examples/*/test/**/*.test.ts",
            "bench/test/**/*.test.ts",
            "tools/test/**/*.test.ts",
          ],
          exclude: shared,
        },
      },
    ],
  },
});
