// Module hooks of a fuzzing thread: sources of the workspaces are stripped of their types and
// instrumented as they are loaded. What comes from node_modules or Node runs as it is.
import { readFileSync } from "node:fs";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";
import { transformSync } from "@swc/core";
import { instrument } from "./instrument.ts";

const next = { counter: 0, compare: 0 };

/** Called once for each fuzzing thread. */
export function initialize(): void {
  next.counter = 0;
  next.compare = 0;
}

/** From a source, other workspaces are found as sources: the fuzzer itself runs as it was built. */
export const resolve: ResolveHook = (specifier, context, nextResolve) => {
  if (context.parentURL?.endsWith(".ts") !== true) return nextResolve(specifier, context);
  const conditions = [...context.conditions, "coterie-source"];
  return nextResolve(specifier, { ...context, conditions });
};

/** Loads a TypeScript source; tests and targets are the oracle and not what is measured. */
export const load: LoadHook = (url, context, nextLoad) => {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const { code } = transformSync(readFileSync(path, "utf8"), {
    filename: path,
    swcrc: false,
    sourceMaps: "inline",
    module: { type: "es6" },
    jsc: { parser: { syntax: "typescript" }, target: "es2022" },
  });
  if (!isMeasured(path)) return { format: "module", source: code, shortCircuit: true };
  const instrumented = instrument(code, next);
  next.counter += instrumented.counters;
  next.compare += instrumented.compares;
  return { format: "module", source: instrumented.code, shortCircuit: true };
};

function isMeasured(path: string): boolean {
  return path.includes("/src/") || path.includes("/planted/");
}
