// Runs seeds until one fails, and every scenario, and says in one line of JSON what came of it:
// node judge.js SEEDS FOLDER-OF-SCENARIOS [shrink]
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runDirectoryLife, runScenario } from "@coterie/sim";
import { runCase } from "../replay/run-case.ts";
import { shrinkCase } from "../replay/shrink-case.ts";
import type { Verdict } from "./verdict.ts";

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

const [, , seedsMax = "", folder = "", shrinking] = process.argv;
const isShrinking = shrinking === "shrink";
/** Runs that shrinking one case may take: enough to be read, if not the smallest. */
const shrinkingRunsMax = 150;

async function failureOf(seed: number): Promise<Verdict["caught"]> {
  const result = await runCase(seed, { traceLinesMax: 1 });
  const { failure } = result;
  if (failure === undefined) return undefined;
  const [detail = ""] = failure.violations;
  const shrunk = isShrinking ? await shrinkCase(result, shrinkingRunsMax) : undefined;
  return { by: failure.checker, detail, shrunk };
}

/** One directory by itself, with what a cluster's other replicas would mostly hide. */
async function failureOfDirectory(seed: number): Promise<Verdict["caught"]> {
  try {
    const [detail] = await watched(runDirectoryLife(seed, drain));
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
    return (await watched(runScenario(script, drain))) === script;
  } catch {
    return false;
  }
}

async function failingScenarios(folder: string): Promise<readonly string[]> {
  const failing: string[] = [];
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (!name.endsWith(".txt")) continue;
    if (!(await isAsTold(readFileSync(join(folder, name), "utf8")))) failing.push(name);
  }
  return failing;
}

const verdict: Verdict = {
  ...(await seedsUntilCaught(Number(seedsMax))),
  scenarios: await failingScenarios(folder),
};
process.stdout.write(`${JSON.stringify(verdict)}\n`);
// What a mutant left hanging must not keep this process.
process.exit(0);
