import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

// The long end-to-end tests: one at a time, each with a cluster of its own.
const full = mergeConfig(base, defineConfig({ test: { testTimeout: 600_000, maxWorkers: 1 } }));

export default {
  ...full,
  test: { ...full.test, include: ["e2e/full/**/*.test.ts"] },
};
