// Plants bugs, one at a time, and demands that the simulation finds each of them, by a seed or,
// where a patch says why none can, by its scenario; see `usage`.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CopyOfTheCode } from "./mutants/copy-of-the-code.ts";
import { type Mutant, readMutants } from "./mutants/mutant.ts";
import type { Verdict } from "./mutants/verdict.ts";
import { scenarioOf } from "./replay/shrink-case.ts";
import { wordsOrUsage } from "./words-or-usage.ts";

const usage = "npm run sim:mutants -- [--seeds 2000] [--workers 2] [--write] [NAME...]";
const { values, positionals } = wordsOrUsage(usage, {
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "2000" },
    workers: { type: "string", default: "2" },
    // Shrinks each case that was caught, and keeps it as a scenario.
    write: { type: "boolean", default: false },
  },
});

const seedsMax = Number(values.seeds);
const workers = Number(values.workers);
const root = join(import.meta.dirname, "../..");
const all = readMutants(join(root, "tools/mutants"));
const mutants = all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (!Number.isInteger(seedsMax) || !Number.isInteger(workers) || mutants.length === 0) {
  process.stderr.write(`${usage}\n`);
  process.exit(2);
}

/** What became of one mutant, in words; `isCaught` if as it must. */
interface Row {
  readonly isCaught: boolean;
  readonly seeds: number;
  readonly text: string;
}

function print(name: string, text: string): void {
  process.stdout.write(`${name.padEnd(28)} ${text}\n`);
}

/** Builds a copy of the code, with the bug in it, and judges it. */
async function judge(mutant: Mutant | undefined, seeds: number): Promise<Verdict | string> {
  const copy = new CopyOfTheCode(root);
  const named = mutant === undefined ? [] : scenariosOf(mutant);
  try {
    const problem = (mutant === undefined ? undefined : copy.apply(mutant.file)) ?? copy.build();
    const isShrinking = mutant !== undefined && values.write;
    return problem ?? (await copy.judge(seeds, { isShrinking, named }));
  } finally {
    copy.remove();
  }
}

/** What tells of a bug: a script by hand, and the shrunk case of a seed. */
function scenariosOf({ name, scenario }: Mutant): readonly string[] {
  return [...(scenario === undefined ? [] : [scenario]), `mutants/${name}.txt`];
}

/** Keeps the shrunk case of a mutant beside the scenarios told by hand. */
function keep({ name, story }: Mutant, { seeds, caught }: Verdict): void {
  if (caught?.shrunk === undefined) return;
  const folder = join(root, "packages/sim/testdata/mutants");
  mkdirSync(folder, { recursive: true });
  const told = `Shrunk from seed ${seeds}, by which ${caught.by} finds this bug: ${story}`;
  writeFileSync(join(folder, `${name}.txt`), scenarioOf(told, seeds, caught.shrunk));
}

async function judgeMutant(mutant: Mutant): Promise<Row> {
  const { scenario, name, beyondSeeds } = mutant;
  const verdict = await judge(mutant, beyondSeeds === undefined ? seedsMax : 0);
  if (typeof verdict === "string") {
    return { isCaught: false, seeds: 0, text: `CANNOT BE PLANTED: ${verdict}` };
  }
  const { caught, seeds, scenarios } = verdict;
  keep(mutant, verdict);
  const isTold = scenario === undefined || scenarios.includes(scenario);
  const told = scenario === undefined ? "no scenario" : scenario;
  const tells = isTold ? told : `${told} DOES NOT FAIL (but: ${scenarios.join(", ")})`;
  if (beyondSeeds !== undefined) {
    return { isCaught: isTold, seeds, text: `no seed: ${beyondSeeds}; ${tells}` };
  }
  if (caught === undefined) {
    return { isCaught: false, seeds, text: `ESCAPED ${seeds} seeds; ${tells}` };
  }
  const isShrunkToo = scenarios.includes(`mutants/${name}.txt`) ? ", and its shrunk seed" : "";
  const by = `seed ${String(seeds).padStart(4)}  ${caught.by.padEnd(18)}`;
  const text = `${by} ${tells}${isShrunkToo}`;
  return { isCaught: isTold, seeds, text };
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

const rows: Row[] = [];
const waiting = [...mutants];
async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const row = await judgeMutant(mutant);
    print(mutant.name, row.text);
    rows.push(row);
  }
}
await Promise.all(Array.from({ length: workers }, work));

// What is caught must be the bug: the code as it is passes the same seeds, and all scenarios.
const seedsRun = Math.max(...rows.map(({ seeds }) => seeds));
const clean = await judge(undefined, seedsRun);
const isClean =
  typeof clean !== "string" && clean.caught === undefined && clean.scenarios.length === 0;
const caught = rows.filter((row) => row.isCaught).length;
print(
  "(the code as it is)",
  isClean ? `passes the same ${seedsRun} seeds` : `FAILS: ${JSON.stringify(clean)}`,
);
process.stdout.write(`${caught} of ${rows.length} mutants caught\n`);
process.exitCode = isClean && caught === rows.length ? 0 : 1;
