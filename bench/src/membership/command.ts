import { Command } from "commander";
import { positive, wholeNumber, wholeNumbers } from "../arguments.ts";
import { alignedText } from "../report/aligned-text.ts";
import { calm, deaths, idleTraffic, pauseEveryMs, pauseMs, pauses } from "./experiments.ts";
import { runProgram } from "../run-program.ts";

interface Options {
  readonly only?: readonly string[];
  readonly members: readonly number[];
  readonly trials: number;
  readonly hours?: number;
  readonly seed: number;
}

const parts = ["idle", "deaths", "pauses", "calm"] as const;
/** Up to this many members a day is simulated, and above it an hour: either takes minutes. */
const dayMembersMax = 100;

const idleTitle =
  "Nothing happens for a minute: what each member sends per second. It receives as much.";
const deathsTitle =
  "A member dies: seconds until it is suspected anywhere, from then until it is confirmed dead, " +
  "and from the first\nconfirmation until the last node knows; median and most.";
const pausesTitle =
  "A member stands still for 4 s: seconds until it is suspected anywhere, and, once it goes on, " +
  "until everybody\ntakes it for alive again; median and most.";

/** Prints how members notice failures, on virtual time; the exit code of the process. */
export async function runMembership(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench membership")
    .description(
      "Simulates members on virtual time: nothing but the membership machine and messages that " +
        "take 1 to 3 ms. Everything is determined by the seed.",
    )
    .option("--only <list>", `parts: ${parts.join(", ")}`, list)
    .option("--members <list>", "sizes of the cluster", wholeNumbers)
    .option("--trials <count>", "deaths or pauses of each kind", wholeNumber, 20)
    .option("--hours <number>", "how long nobody dies; 24 up to 100 members, 1 above", positive)
    .option("--seed <number>", "the same seed, the same numbers", wholeNumber, 1)
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- membership
  npm run bench -- membership --only deaths --members 1000 --trials 10
  npm run bench -- membership --only calm --members 100 --hours 1`,
    )
    .action((options: Partial<Options>) => {
      run({ trials: 20, seed: 1, members: [100, 300, 1000], ...options });
    });
  return runProgram(program, words);
}

function list(text: string): readonly string[] {
  return text.split(",").filter((word) => word !== "");
}

function run(options: Options): void {
  const isWanted = (part: string): boolean => options.only?.includes(part) ?? true;
  if (isWanted("idle")) printIdle(options);
  if (isWanted("deaths")) printDeaths(options);
  if (isWanted("pauses")) printPauses(options);
  if (isWanted("calm")) printCalm(options);
}

function printIdle({ members, seed }: Options): void {
  const rows = members.map((count) => {
    const found = idleTraffic(count, 60, seed);
    return [
      `${count}`,
      found.messagesPerSecond.toFixed(1),
      found.bytesPerSecond.toFixed(0),
      found.packetBytesPerSecond.toFixed(0),
    ];
  });
  print(idleTitle, [["members", "messages", "bytes", "with all headers"], ...rows]);
}

function printDeaths({ members, trials, seed }: Options): void {
  const rows = members.flatMap((count) =>
    [0, 10].map((lossPerMille) => {
      const found = deaths({ members: count, lossPerMille, trials, seed });
      return [
        `${count}`,
        percent(lossPerMille),
        `${found.length}`,
        ...spread(found.map(({ suspectedMs }) => suspectedMs)),
        ...spread(found.map(({ confirmedMs }) => confirmedMs)),
        ...spread(found.map(({ spreadMs }) => spreadMs)),
      ];
    }),
  );
  print(deathsTitle, [
    ["members", "loss", "deaths", "suspected", "most", "confirmed", "most", "spread", "most"],
    ...rows,
  ]);
}

function printPauses({ members, trials, seed }: Options): void {
  const rows = members.map((count) => {
    const found = pauses({ members: count, lossPerMille: 0, trials, seed });
    return [
      `${count}`,
      `${found.length}`,
      ...spread(found.map(({ suspectedMs }) => suspectedMs)),
      ...spread(found.map(({ clearedMs }) => clearedMs)),
      `${found.filter(({ isDeclaredDead }) => isDeclaredDead).length}`,
    ];
  });
  print(pausesTitle, [
    ["members", "pauses", "suspected", "most", "cleared", "most", "declared dead"],
    ...rows,
  ]);
}

function printCalm({ members, hours, seed }: Options): void {
  const rows = members.flatMap((count) =>
    [0, 5].map((pausingPercent) => {
      const lasting = hours ?? (count <= dayMembersMax ? 24 : 1);
      const found = calm({ members: count, seed, lossPerMille: 0, hours: lasting, pausingPercent });
      return [
        `${count}`,
        `${lasting}`,
        `${pausingPercent} %`,
        `${found.pauses}`,
        `${found.suspicions}`,
        `${found.falseDeaths}`,
        `${found.disagreeing}`,
      ];
    }),
  );
  const pausing = `in every ${pauseEveryMs / 1000} s so many of 100, drawn anew, stand still for`;
  print(`Nobody dies; ${pausing} ${pauseMs / 1000} s.`, [
    ["members", "hours", "pausing", "pauses", "suspicions", "false deaths", "disagree at the end"],
    ...rows,
  ]);
}

/** Median and most, in seconds. */
function spread(times: readonly number[]): readonly string[] {
  const sorted = times.toSorted((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return [seconds(median), seconds(sorted.at(-1) ?? Number.NaN)];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

function percent(perMille: number): string {
  return `${perMille / 10} %`;
}

function print(title: string, rows: readonly (readonly string[])[]): void {
  process.stdout.write(`${title}\n${alignedText(rows)}\n\n`);
}
