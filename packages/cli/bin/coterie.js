#!/usr/bin/env node
// Plain old syntax on purpose: an outdated Node must get this far to be told so.
import { existsSync } from "node:fs";

const [major, minor] = process.versions.node.split(".").map(Number);
const main = new URL("../dist/main.js", import.meta.url);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `coterie: this is Node ${process.versions.node}; Coterie needs 20.19 or newer.\n` +
      "  try: install a newer Node (https://nodejs.org), then run the same line again\n",
  );
  process.exitCode = 1;
} else if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write("coterie: it is not built yet.\n  try: npm run build\n");
  process.exitCode = 1;
}
