// Runs seeds until one fails, and every scenario, and says in one line of JSON what came of it:
// node judge.js SEEDS FOLDER-OF-SCENARIOS
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runScenario, simulate } from "@coterie/sim";
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

async function failureOf(seed: number): Promise<{ by: string; detail: string } | undefined> {
  try {
    const [first] = (await watched(simulate({ seed, drain }))).violations;
    return first && { by: first.checker, detail: `${first.key}: ${first.detail}` };
  } catch (error) {
    const [detail = ""] = String(error).split("\n");
    return { by: "the run itself", detail };
  }
}

async function seedsUntilCaught(seedsMax: number): Promise<Pick<Verdict, "seeds" | "caught">> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const caught = await failureOf(seed);
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

const [, , seedsMax = "", folder = ""] = process.argv;
const verdict: Verdict = {
  ...(await seedsUntilCaught(Number(seedsMax))),
  scenarios: await failingScenarios(folder),
};
process.stdout.write(`${JSON.stringify(verdict)}\n`);
// What a mutant left hanging must not keep this process.
process.exit(0);
