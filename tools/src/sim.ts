// Runs simulations from a range of seeds:
// npm run sim -- [--seeds 1000] [--from 1] [--minutes M] [--workers 2] [--trace]
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { Campaign } from "./sim/campaign.ts";
import type { SeedResult } from "./sim/run-seed.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    minutes: { type: "string" },
    workers: { type: "string", default: "2" },
    trace: { type: "boolean", default: false },
  },
});

/** How often the summary so far is shown, in milliseconds. */
const liveMs = 5000;

function commit(): string {
  try {
    const described = execFileSync("git", ["describe", "--always", "--dirty"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return described.trim();
  } catch {
    return "unknown";
  }
}

function describeFailure({ seed, violations, knobs, trace }: SeedResult): string {
  return [
    `seed ${seed} failed at commit ${commit()} with node ${process.version}`,
    `  replay: npm run sim -- --from ${seed} --seeds 1 --trace`,
    `  knobs: ${knobs}`,
    ...(values.trace ? [] : ["  last events:", ...trace.map((line) => `    ${line}`)]),
    ...violations.map((violation) => `  ${violation}`),
  ].join("\n");
}

// Without --seeds, as many as there is time for; without either, a thousand.
const endless = values.minutes === undefined ? 1000 : Number.MAX_SAFE_INTEGER;
const campaign = new Campaign({
  from: Number(values.from),
  seeds: values.seeds === undefined ? endless : Number(values.seeds),
  minutes: values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes),
  workers: values.trace ? 1 : Number(values.workers),
  isTraced: values.trace,
  onResult: (result) => {
    if (values.trace) process.stdout.write(`${result.trace.join("\n")}\n${result.traceHash}\n`);
    if (result.violations.length > 0) process.stdout.write(`${describeFailure(result)}\n`);
  },
});
const numbers = [values.seeds ?? 1, values.from, values.minutes ?? 1, values.workers].map(Number);
if (!numbers.every((number) => number > 0)) {
  process.stderr.write("npm run sim -- [--seeds N] [--from N] [--minutes M] [--workers 2]\n");
  process.exit(2);
}
const live = setInterval(() => {
  process.stderr.write(`${campaign.summary()}\n`);
}, liveMs);
process.once("SIGINT", () => campaign.stop());
await campaign.run();
clearInterval(live);
process.stdout.write(`${campaign.summary()}\n`);
process.exitCode = campaign.tally.failed === 0 ? 0 : 1;
