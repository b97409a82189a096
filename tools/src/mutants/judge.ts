// Runs seeds until one fails, and scenarios, and says in one line of JSON what came of it:
// node judge.js SEEDS FOLDER-OF-SCENARIOS [--shrink] [NAMES...]
// Where none of the scenarios that are named fails, or none is named, it runs all of them.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runDirectoryLife, runScenario } from "@coterie/sim";
import { runCase } from "../replay/run-case.ts";
import { shrinkCase } from "../replay/shrink-case.ts";
import { fastTurns } from "../sim/turns.ts";
import type { Verdict } from "./verdict.ts";

const turns = fastTurns();
const drain = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Settles like `run`, or rejects with what nobody caught: then `run` may hang for ever. */
function watched<Value>(run: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    for (const event of ["uncaughtException", "unhandledRejection"]) {
      process.removeAllListeners(event);
      process.on(event, reject);
    }
    run.then(resolve, reject);
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { shrink: { type: "boolean", default: false } },
});
const [seedsMax = "", folder = "", ...named] = positionals;
/** Runs that shrinking one case may take: enough to be read, if not the smallest. */
const shrinkingRunsMax = 150;

async function failureOf(seed: number): Promise<Verdict["caught"]> {
  const result = await runCase(seed, { traceLinesMax: 1 });
  const { failure } = result;
  if (failure === undefined) return undefined;
  const [detail = ""] = failure.violations;
  const shrunk = values.shrink ? await shrinkCase(result, shrinkingRunsMax) : undefined;
  return { by: failure.checker, detail, shrunk };
}

/** One directory by itself, with what a cluster's other replicas would mostly hide. */
async function failureOfDirectory(seed: number): Promise<Verdict["caught"]> {
  try {
    const [detail] = await watched(runDirectoryLife(seed, drain, turns));
    return detail === undefined ? undefined : { by: "directory", detail };
  } catch (error) {
    return { by: "directory", detail: String(error) };
  }
}

async function seedsUntilCaught(seedsMax: number): Promise<Pick<Verdict, "seeds" | "caught">> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const caught = (await failureOf(seed)) ?? (await failureOfDirectory(seed));
    if (caught !== undefined) return { seeds: seed, caught };
  }
  return { seeds: seedsMax };
}

async function isAsTold(script: string): Promise<boolean> {
  try {
    return (await watched(runScenario(script, drain, turns))) === script;
  } catch {
    return false;
  }
}

function allScenarios(): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".txt")).toSorted();
}

async function failingOf(names: readonly string[]): Promise<readonly string[]> {
  const failing: string[] = [];
  for (const name of names) {
    if (!(await isAsTold(readFileSync(join(folder, name), "utf8")))) failing.push(name);
  }
  return failing;
}

const found = await seedsUntilCaught(Number(seedsMax));
const failing = await failingOf(named.filter((name) => existsSync(join(folder, name))));
const scenarios = failing.length > 0 ? failing : await failingOf(allScenarios());
const verdict: Verdict = { ...found, scenarios };
process.stdout.write(`${JSON.stringify(verdict)}\n`);
// What a mutant left hanging must not keep this process.
process.exit(0);
