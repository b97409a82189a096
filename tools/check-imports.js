// Runs dependency-cruiser over the sources and refuses a run that read fewer modules than there
// are source files: misconfigured, it reads nothing and reports success.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const roots = ["packages", "bench", "e2e", "tools"];
const root = new URL("..", import.meta.url).pathname;
const arguments_ = process.argv.slice(2);
const folders = arguments_.length > 0 ? arguments_ : roots;

/** TypeScript sources below a folder, without what is generated or installed. */
function countSources(folder) {
  let count = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (["node_modules", "dist", "dist-test"].includes(entry.name)) continue;
    if (entry.isDirectory()) count += countSources(join(folder, entry.name));
    else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts")) count += 1;
  }
  return count;
}

const cruiser = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
const run = spawnSync(
  process.execPath,
  [cruiser, ...folders, "--config", ".dependency-cruiser.cjs", "--output-type", "json"],
  { cwd: root, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
);
if (run.error !== undefined || !run.stdout.startsWith("{")) {
  process.stderr.write(`dependency-cruiser did not run: ${run.error ?? run.stderr}\n`);
  process.exit(1);
}
const { modules, summary } = JSON.parse(run.stdout);
const read = modules.filter(
  ({ source }) => source.endsWith(".ts") && !source.includes("node_modules"),
);
const expected = folders.reduce((sum, folder) => sum + countSources(join(root, folder)), 0);
for (const { rule, from, to } of summary.violations) {
  process.stderr.write(`${rule.name}: ${from} -> ${to}\n`);
}
if (read.length < expected) {
  process.stderr.write(`only ${read.length} of ${expected} source files were read\n`);
  process.exit(1);
}
process.stdout.write(`${read.length} modules read, ${summary.violations.length} wrong imports\n`);
process.exit(summary.violations.length === 0 ? 0 : 1);
