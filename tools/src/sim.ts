// Runs simulations from a range of seeds; see `usage`.
import { describeFailure } from "./replay/describe-failure.ts";
import { Campaign } from "./sim/campaign.ts";
import { wordsOrUsage } from "./words-or-usage.ts";

const usage = "npm run sim -- [--seeds 1000] [--from 1] [--minutes M] [--workers 2]";
const { values } = wordsOrUsage(usage, {
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    minutes: { type: "string" },
    workers: { type: "string", default: "2" },
  },
});

/** How often the summary so far is shown, in milliseconds. */
const liveMs = 5000;

// Without --seeds, as many as there is time for; without either, a thousand.
const endless = values.minutes === undefined ? 1000 : Number.MAX_SAFE_INTEGER;
const campaign = new Campaign({
  from: Number(values.from),
  seeds: values.seeds === undefined ? endless : Number(values.seeds),
  minutes: values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes),
  workers: Number(values.workers),
  onResult: (result) => {
    if (result.failure !== undefined) process.stdout.write(`${describeFailure(result)}\n`);
  },
});
const numbers = [values.seeds ?? 1, values.from, values.minutes ?? 1, values.workers].map(Number);
if (!numbers.every((number) => number > 0)) {
  process.stderr.write(`${usage}\n`);
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
