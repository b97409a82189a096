import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

// The long tests: one at a time, each with a cluster of its own.
const full = mergeConfig(base, defineConfig({ test: { testTimeout: 600_000, maxWorkers: 1 } }));
const include = ["e2e/full/**/*.test.ts", "packages/*/test/**/*.full.ts"];

// The projects of the usual tests would bring their own files.
export default { ...full, test: { ...full.test, projects: undefined, include } };
