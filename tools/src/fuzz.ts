// Fuzzes the parsers of the repository (docs/internals/fuzzing.md); see `usage`.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import type { Finding } from "./fuzz/campaign.ts";
import {
  type FuzzTargetFile,
  corpusFile,
  findTargets,
  readCorpus,
  targetFile,
} from "./fuzz/target.ts";
import { type FuzzThreadInput, runWatched } from "./fuzz/watched-thread.ts";
import { wordsOrUsage } from "./words-or-usage.ts";

const root = new URL("../..", import.meta.url).pathname;
const usage = `npm run fuzz -- [--seconds 60] [--target NAME]... [--seed TEXT] [--runs N] [--blind]
npm run fuzz -- --target NAME --input FILE      replays one input
npm run fuzz -- --keep                          adds what it learnt to the corpora`;
const { values } = wordsOrUsage(usage, {
  options: {
    seconds: { type: "string", default: "60" },
    target: { type: "string", multiple: true, default: [] },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
    runs: { type: "string", default: "Infinity" },
    input: { type: "string" },
    blind: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

function chosenTargets(): readonly FuzzTargetFile[] {
  const all = findTargets(root);
  if (values.target.length === 0) return all;
  return values.target.map((name) => {
    if (existsSync(name)) return targetFile(resolve(name));
    const found = all.find((target) => target.name === name);
    if (found !== undefined) return found;
    process.stderr.write(`no target ${name}; there are: ${all.map((t) => t.name).join(" ")}\n`);
    return process.exit(2);
  });
}

/** Where inputs that failed are kept: not in the repository until somebody has named them. */
function save(target: FuzzTargetFile, { problem, input }: Finding): void {
  const digest = createHash("sha256").update(input).digest("hex").slice(0, 12);
  const file = join(root, "tmp", "fuzz", `${target.name}-${digest}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, input);
  process.stdout.write(
    `  ${problem}\n    ${input.length} bytes, base64 ${Buffer.from(input).toString("base64")}\n` +
      `    replay: npm run fuzz -- --target ${target.name} --input ${file}\n`,
  );
}

/** Adds the inputs that showed most that was new, as far as the corpus has room. */
function keep({ path }: FuzzTargetFile, kept: readonly Uint8Array[]): void {
  const linesMax = 40;
  const bytesMax = 300;
  const file = corpusFile(path, "corpus");
  const lines = new Set(readCorpus(path).map((input) => Buffer.from(input).toString("base64")));
  for (const input of kept) {
    if (lines.size < linesMax && input.length > 0 && input.length <= bytesMax) {
      lines.add(Buffer.from(input).toString("base64"));
    }
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, [...lines].map((line) => `${line}\n`).join(""));
}

async function fuzz(target: FuzzTargetFile, milliseconds: number): Promise<number> {
  const order: FuzzThreadInput = {
    path: target.path,
    seed: values.seed,
    milliseconds,
    runs: Number(values.runs),
    isBlind: values.blind,
    ...(values.input === undefined ? {} : { input: new Uint8Array(readFileSync(values.input)) }),
  };
  const outcome = await runWatched(
    values.input === undefined ? order : { ...order, runs: 0, milliseconds: 0 },
  );
  if (outcome.kind === "lost") {
    process.stdout.write(`${target.name}: an input ${outcome.problem}\n`);
    save(target, outcome);
    return 1;
  }
  const { runs, findings, covered, counters, features, kept } = outcome.report;
  process.stdout.write(
    `${target.name}: seed ${values.seed}, ${runs} runs, ${covered} of ${counters} blocks, ` +
      `${features} features, ${kept.length} inputs kept, ${findings.length} findings\n`,
  );
  for (const finding of findings) save(target, finding);
  if (values.keep) keep(target, kept);
  return findings.length;
}

/** Each target has a process of its own: what one does to its process is no other's matter. */
function fuzzApart(target: FuzzTargetFile, seconds: number): boolean {
  const passed = ["--target", target.path, "--seed", values.seed, "--runs", values.runs];
  passed.push("--seconds", String(seconds));
  if (values.keep) passed.push("--keep");
  if (values.blind) passed.push("--blind");
  const { status, signal } = spawnSync(process.execPath, [import.meta.filename, ...passed], {
    stdio: "inherit",
  });
  if (signal !== null) process.stdout.write(`${target.name}: the process ended by ${signal}\n`);
  return status === 0;
}

const targets = chosenTargets();
const [only] = targets;
if (targets.length === 1 && only !== undefined) {
  process.exitCode = (await fuzz(only, Number(values.seconds) * 1000)) === 0 ? 0 : 1;
} else {
  process.stdout.write(`fuzzing ${targets.length} targets, --seed ${values.seed}\n`);
  const seconds = Number(values.seconds) / targets.length;
  const failed = targets.filter((target) => !fuzzApart(target, seconds)).map(({ name }) => name);
  process.stdout.write(failed.length === 0 ? "0 findings\n" : `failed: ${failed.join(" ")}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
