// A cluster of `coterie dev`: one that runs already, or one of the example's own.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../packages/cli/bin/coterie.js", import.meta.url));
const agent = new Agent({ keepAlive: true });

/**
 * Starts `coterie` with its messages on our standard error.
 * @param {readonly string[]} words
 * @param {{ readonly quiet?: boolean }} [options]
 */
export function startCoterie(words, { quiet = false } = {}) {
  const output = quiet ? "ignore" : "inherit";
  const child = spawn(process.execPath, [command, ...words], {
    stdio: ["ignore", "ignore", output],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  return { child, ended };
}

/**
 * Runs `coterie` to its end; a failure ends the example.
 * @param {readonly string[]} words
 */
export async function coterie(...words) {
  const exit = await startCoterie(words).ended;
  if (exit !== 0) throw new Error(`coterie ${words.join(" ")} ended with ${exit}`);
}

/**
 * Starts a cluster of three nodes in a directory, on ports that the system chooses.
 * @param {string} data
 */
export async function startCluster(data) {
  const dev = startCoterie(["dev", "--base-port", "0", "--data", data, "--no-input"], {
    quiet: true,
  });
  for (;;) {
    if (dev.child.exitCode !== null) throw new Error("coterie dev did not start; see its logs");
    const nodes = readNodes(data);
    const ready = await Promise.all(
      (nodes ?? []).map(({ url }) => get(url, "/readyz").catch(() => undefined)),
    );
    if (nodes !== undefined && ready.every((reply) => reply?.status === 200)) break;
    await sleep(50);
  }
  return {
    nodes: readNodes(data),
    async stop() {
      dev.child.kill("SIGTERM");
      await dev.ended;
    },
  };
}

/**
 * The nodes of the `coterie dev` in a directory.
 * @param {string} data
 * @returns {readonly { id: string, url: string }[] | undefined}
 */
export function readNodes(data) {
  try {
    const { nodes } = JSON.parse(readFileSync(join(data, "endpoints.json"), "utf8"));
    return nodes.map(({ id, http }) => ({ id, url: `http://${http}` }));
  } catch {
    return undefined;
  }
}

/**
 * @param {string} url
 * @param {string} path
 * @returns {Promise<{ status: number, body: Buffer }>}
 */
export function get(url, path) {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, { agent, timeout: 10_000 }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode, body: Buffer.concat(chunks) }),
      );
      response.on("error", reject);
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${url}${path} did not answer`)));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/**
 * The sum of a counter over all nodes.
 * @param {readonly { url: string }[]} nodes
 * @param {string} name
 */
export async function counterSum(nodes, name) {
  let sum = 0;
  for (const { url } of nodes) {
    const { body } = await get(url, "/metrics");
    for (const line of body.toString("utf8").split("\n")) {
      if (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) {
        sum += Number(line.slice(line.lastIndexOf(" ") + 1));
      }
    }
  }
  return sum;
}
