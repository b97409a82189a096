// Imports one record per Debian package into a cluster while a node and then the import itself
// are killed, reads every record back through every node, and compares them byte for byte.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { coterie, counterSum, get, readNodes, startCluster, startCoterie } from "./cluster.js";
import { debianPackages, generatedPackages, hasPackageLists, writeRecords } from "./packages.js";

const { values: options } = parseArgs({
  options: {
    /** The directory of a running `coterie dev`; one of our own otherwise. */
    data: { type: "string" },
    /** This many generated records instead of this machine's packages. */
    generated: { type: "string" },
    /** At most this many packages. */
    limit: { type: "string" },
  },
});

const RESENT_SHARE_MAX = 0.55;
const READS_AT_ONCE = 32;

const directory = mkdtempSync(join(tmpdir(), "coterie-packages-"));
const file = join(directory, "packages.ndjson");
let cluster;
try {
  process.exitCode = await run();
} finally {
  await cluster?.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function run() {
  const count = await timed("writing the records", makeFile);
  say(`${count} records in ${file}`);
  const data = options.data === undefined ? join(directory, "cluster") : resolve(options.data);
  if (options.data === undefined)
    cluster = await timed("starting three nodes", () => startCluster(data));
  const nodes = readNodes(data);
  if (nodes === undefined) throw new Error(`there is no coterie dev cluster in ${data}`);

  const importWords = ["import", file, "--node", nodes.map(({ url }) => url).join(",")];
  await timed("the first half of the import", () => firstHalf(importWords, count, data, nodes));
  const putsBefore = await counterSum(nodes, "coterie_puts_total");
  const getsBefore = await counterSum(nodes, "coterie_gets_total");
  await timed("the rest of the import", () => coterie(...importWords));
  const resent = {
    puts: (await counterSum(nodes, "coterie_puts_total")) - putsBefore,
    gets: (await counterSum(nodes, "coterie_gets_total")) - getsBefore,
  };
  const share = Math.max(resent.puts, resent.gets) / count;
  say(
    `the resumed import asked for ${resent.gets} records and wrote ${resent.puts}: ` +
      `${(share * 100).toFixed(1)} % of all`,
  );

  let differences = 0;
  for (const node of nodes) {
    differences += await timed(`reading all back through ${node.id}`, () => compare(node));
  }
  say(`${count} records through ${nodes.length} nodes: ${differences} differences`);
  if (share > RESENT_SHARE_MAX) say(`more than ${RESENT_SHARE_MAX * 100} % was sent again`);
  return differences === 0 && share <= RESENT_SHARE_MAX ? 0 : 1;
}

async function makeFile() {
  const limit = Number(options.limit ?? Infinity);
  if (options.generated !== undefined || !(await hasPackageLists())) {
    return writeRecords(file, generatedPackages(Number(options.generated ?? 60_000)), limit);
  }
  return writeRecords(file, debianPackages(), limit);
}

/** Kills a node at a fifth, revives it at two fifths, and kills the import at half. */
async function firstHalf(words, count, data, nodes) {
  const victim = nodes[1].id;
  const { child, ended } = startCoterie(words);
  await reach(child, count * 0.2);
  await coterie("dev", "kill", victim, "--data", data);
  await reach(child, count * 0.4);
  await coterie("dev", "revive", victim, "--data", data);
  await reach(child, count * 0.5);
  child.kill("SIGKILL");
  await ended;
  say(`the import was killed after ${importedCount()} records`);
}

async function reach(child, count) {
  while (importedCount() < count) {
    if (child.exitCode !== null) throw new Error("the import ended before it was killed");
    await sleep(20);
  }
}

function importedCount() {
  try {
    return JSON.parse(readFileSync(`${file}.coterie-progress`, "utf8")).acknowledged.number;
  } catch {
    return 0; // Nothing has been saved yet.
  }
}

/** Reads every record through one node; returns how many are not what was imported. */
async function compare({ url }) {
  let differences = 0;
  const pending = new Set();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { key, value } = JSON.parse(line);
    const check = get(url, `/v1/buckets/default/keys/${encodeURIComponent(key)}`)
      .then(({ status, body }) => status === 200 && body.equals(Buffer.from(value)))
      .catch(() => false)
      .then((isEqual) => {
        pending.delete(check);
        if (isEqual) return;
        differences += 1;
        if (differences <= 5) say(`differs: ${key}`);
      });
    pending.add(check);
    if (pending.size >= READS_AT_ONCE) await Promise.race(pending);
  }
  await Promise.all(pending);
  return differences;
}

async function timed(what, task) {
  const startMs = performance.now();
  const result = await task();
  say(`${what}: ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  return result;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
