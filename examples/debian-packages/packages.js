// The records of the example: one per Debian package, from this machine's package lists, or
// generated ones of the same shape where there are none.
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";

const CONTENT_TYPE = "text/plain; charset=utf-8";

/** True if this machine has package lists. */
export async function hasPackageLists() {
  for await (const line of linesOf("apt-cache", ["dumpavail"])) return line !== "";
  return false;
}

/**
 * Writes one NDJSON line per package, as `coterie import` reads them, and returns their number.
 * @param {string} file
 * @param {AsyncIterable<{ key: string, value: string }>} records
 * @param {number} limit
 */
export async function writeRecords(file, records, limit) {
  const stream = createWriteStream(file);
  let count = 0;
  for await (const { key, value } of records) {
    if (count === limit) break;
    const line = JSON.stringify({ key, value, contentType: CONTENT_TYPE });
    if (!stream.write(`${line}\n`)) await once(stream, "drain");
    count += 1;
  }
  stream.end();
  await finished(stream);
  return count;
}

/** The stanzas of `apt-cache dumpavail`; a name that comes twice is told apart by its version. */
export async function* debianPackages() {
  const seen = new Set();
  let stanza = [];
  for await (const line of linesOf("apt-cache", ["dumpavail"])) {
    if (line !== "") {
      stanza.push(line);
      continue;
    }
    if (stanza.length > 0) yield record(stanza, seen);
    stanza = [];
  }
  if (stanza.length > 0) yield record(stanza, seen);
}

/**
 * Packages that look like Debian's and are the same at every run.
 * @param {number} count
 */
export async function* generatedPackages(count) {
  let state = 1;
  const below = (bound) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % bound;
  };
  const words = "library tool server client data format network graphics sound text fast".split(
    " ",
  );
  for (let index = 0; index < count; index += 1) {
    const about = Array.from({ length: 20 + below(80) }, () => words[below(words.length)]);
    const key = `lib${words[below(words.length)]}-${index}`;
    const lines = [
      `Package: ${key}`,
      `Version: ${below(9)}.${below(20)}-${below(5)}`,
      `Installed-Size: ${below(100_000)}`,
      "Maintainer: Zoë Müller <zoe@example.org>",
      `Description: ${about.join(" ")}`,
    ];
    yield { key, value: `${lines.join("\n")}\n` };
  }
}

function record(stanza, seen) {
  const field = (name) =>
    stanza.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
  const name = field("Package");
  let key = name;
  if (seen.has(key)) key = `${name}=${field("Version")}`;
  for (let copy = 2; seen.has(key); copy += 1) key = `${name}=${field("Version")}#${copy}`;
  seen.add(key);
  return { key, value: `${stanza.join("\n")}\n` };
}

async function* linesOf(command, words) {
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "ignore"] });
  let isMissing = false;
  child.on("error", () => {
    isMissing = true;
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) yield line;
  } catch (error) {
    if (!isMissing) throw error;
  } finally {
    child.kill();
  }
}
