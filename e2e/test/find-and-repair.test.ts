import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CommandResult, coterie } from "../src/command.ts";
import { HttpClient } from "../src/http-client.ts";
import { RealCluster } from "../src/real-cluster.ts";

const keys = 100;
const http = new HttpClient();
const directory = mkdtempSync(join(tmpdir(), "coterie-repair-"));
let cluster: RealCluster;

beforeAll(async () => {
  // Nothing heals here but what is asked for.
  const config = join(directory, "config.json");
  writeFileSync(config, '{ "partitions": 64, "handoffBytes": 0, "antiEntropy": "off" }');
  cluster = await RealCluster.start({ arguments: ["--config", config] });
}, 90_000);
afterAll(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true });
});

async function putAll(value: string): Promise<void> {
  const [first = ""] = cluster.doors;
  const puts = Array.from({ length: keys }, (_, number) => {
    const path = `/v1/buckets/default/keys/key-${number}?strict=true`;
    return http.send(first, "PUT", path, { body: value });
  });
  for (const { status } of await Promise.all(puts)) expect(status).toBe(204);
}

function run(...words: readonly string[]): Promise<CommandResult> {
  return coterie(...words, "--node", `http://${cluster.doors[0]}`);
}

interface Found {
  readonly keys: readonly { readonly copies: readonly unknown[] }[];
  readonly end: object;
  readonly code: number | null;
}

async function find(...words: readonly string[]): Promise<Found> {
  const { code, stdout } = await run("find", "--json", ...words);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { keys: lines.slice(0, -1), end: lines.at(-1), code };
}

/** Of the keys that hold at least so many siblings somewhere, how many do at how many nodes. */
async function spread(siblings: number): Promise<readonly number[]> {
  const counts = [0, 0, 0, 0];
  for (const { copies } of (await find("--siblings", `${siblings}`)).keys) {
    counts[copies.length] = (counts[copies.length] ?? 0) + 1;
  }
  return counts;
}

it("repair makes the copies of a node that was away like all others, as find sees", async () => {
  await putAll("before");
  await expect.poll(() => spread(1), { timeout: 20_000 }).toEqual([0, 0, 0, keys]);
  await cluster.kill("n3");
  await putAll("while n3 was away");
  await cluster.revive("n3");
  expect(await spread(2)).toEqual([0, 0, keys, 0]);
  const shown = await run("repair", "--all");
  expect(shown.stdout).toMatch(/^n1 +done +64 of 64 +\d+ +\d+ /mu);
  expect(shown.stdout).toMatch(/^n3 +done +64 of 64 +\d+ +0 /mu);
  expect([shown.code, shown.stderr]).toEqual([0, ""]);
  expect(await spread(2)).toEqual([0, 0, 0, keys]);
  expect(await find("--siblings", "2")).toMatchObject({
    code: 0,
    end: { found: keys, problems: [], coverage: { partitions: 64, byAll: 64 } },
  });
}, 60_000);

it("top adds up what clients ask all nodes for", async () => {
  const { code, stdout } = await run("top", "--writes", "--once", "--json");
  const { answered, writes } = JSON.parse(stdout);
  expect([code, answered]).toEqual([0, ["n1", "n2", "n3"]]);
  expect(writes.keys.length).toBeGreaterThan(0);
});

it("find says whose copies nobody has looked at", async () => {
  const [first = ""] = cluster.doors;
  const path = "/v1/buckets/default/keys/key-7?strict=true";
  expect((await http.send(first, "DELETE", path)).status).toBe(204);
  await cluster.kill("n2");
  const { code, keys: found, end } = await find("--tombstones");
  expect([code, found]).toMatchObject([1, [{ bucket: "default" }]]);
  const bySome = { answered: ["n1", "n3"], missing: ["n2"] };
  expect(end).toMatchObject({ problems: [{ node: "n2" }], coverage: { byAll: 0, byNone: [] } });
  expect(end).toHaveProperty("coverage.bySome.63", expect.objectContaining(bySome));
}, 60_000);

it("repair says what it could not compare, and fails", async () => {
  const shown = await run("repair", "--partition", "5");
  expect(shown.code).toBe(1);
  expect(shown.stdout).toMatch(/^n1 +failed +0 of 1 /mu);
  expect(shown.stderr).toMatch(/^n1 has not compared with n2 1 partitions, .* unreachable$/mu);
  expect(shown.stderr).toMatch(/^n2 has not repaired: .*ECONNREFUSED/mu);
}, 60_000);
