import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rot } from "../src/bit-rot.ts";
import { coterie } from "../src/command.ts";
import { HttpClient } from "../src/http-client.ts";
import { RealCluster } from "../src/real-cluster.ts";

// One cluster for all: what an earlier part deleted must not come back in a later one.

const keys = 20_000;
const deleted = 10_000;
const inFlight = 48;
const http = new HttpClient();
const directory = mkdtempSync(join(tmpdir(), "coterie-healing-"));
let cluster: RealCluster;

beforeAll(async () => {
  const config = join(directory, "config.json");
  const often = { antiEntropy: 2000, reapAfterMs: 2000, probeIntervalMs: 100, suspicionMs: 500 };
  writeFileSync(config, JSON.stringify({ partitions: 64, segmentBytes: 1 << 20, ...often }));
  cluster = await RealCluster.start({ arguments: ["--config", config] });
  await forEach(keys, async (number) => {
    const put = await http.send(door("n1"), "PUT", pathOf(number), { body: valueOf(number) });
    if (put.status !== 204) throw new Error(`${put.status} ${put.body.toString()}`);
  });
}, 240_000);
afterAll(async () => {
  http.close();
  await cluster.stop();
  rmSync(directory, { recursive: true });
});

it("deletes that a node missed hold, and are forgotten once it is back", async () => {
  await cluster.kill("n3");
  await forEach(deleted, async (number) => {
    const gone = await http.send(door("n2"), "DELETE", pathOf(number));
    expect(gone.status).toBe(204);
  });
  // Nobody forgets what n3 has not confirmed, and status says so.
  await expect
    .poll(async () => (await coterie("status", "--node", `http://${door("n1")}`)).output, {
      timeout: 60_000,
    })
    .toMatch(/keeps the tombstones of \d+ partitions because of n3: away/u);
  expect(await tombstones("n1")).toBe(deleted);
  const since = Date.now();
  await cluster.revive("n3");
  await untilForgotten();
  say("away through 10 000 deletes: whole, and all of them forgotten everywhere", since);
  await allIsWell();
}, 300_000);

it("two segments and the checkpoint damaged: whole again, and nothing returns", async () => {
  await cluster.kill("n2");
  const damaged = rot(join(cluster.directory, "n2"), 200);
  expect(damaged.length).toBeGreaterThanOrEqual(2);
  const since = Date.now();
  await cluster.revive("n2");
  await cluster.untilWhole("n2");
  say(`200 bits of ${damaged.join(", ")} flipped: whole`, since);
  await allIsWell();
}, 300_000);

it("a directory is lost: whole again, and nothing returns", async () => {
  await cluster.kill("n1");
  rmSync(join(cluster.directory, "n1"), { recursive: true });
  const since = Date.now();
  await cluster.revive("n1");
  await cluster.untilWhole("n1");
  say("directory lost: whole", since);
  expect(await tombstones("n1")).toBe(0);
  await allIsWell();
}, 300_000);

/**
 * All replicas are equal: by the roots of their trees, by a scan of what each of them holds, and
 * key by key at a sample of them.
 */
async function allIsWell(): Promise<void> {
  for (const id of ["n1", "n2", "n3"]) {
    await expect
      .poll(() => coterie("repair", "--all", "--node", `http://${door(id)}`), { timeout: 60_000 })
      .toMatchObject({ code: 0 });
  }
  const again = await coterie("repair", "--all", "--node", `http://${door("n1")}`);
  for (const id of ["n1", "n2", "n3"]) {
    expect(again.stdout).toMatch(new RegExp(`^${id} +done +64 of 64 +\\d+ +0 `, "mu"));
  }
  const found = await coterie(
    "find",
    "--larger-than",
    "1",
    "--json",
    "--limit",
    "1000000",
    "--node",
    `http://${door("n1")}`,
  );
  const lines = found.stdout.trim().split("\n").slice(0, -1);
  const counts = new Map<number, number>();
  for (const line of lines) {
    const { copies } = JSON.parse(line) as { readonly copies: readonly unknown[] };
    counts.set(copies.length, (counts.get(copies.length) ?? 0) + 1);
  }
  expect([...counts]).toEqual([[3, keys - deleted]]);
  await forEach(keys / 20, async (index) => {
    const number = index * 20;
    const copies = await Promise.all(["n1", "n2", "n3"].map((id) => copyAt(id, number)));
    expect([number, new Set(copies).size]).toEqual([number, 1]);
    if (number < deleted) expect(copies[0]).toBe("404");
    else expect(copies[0]).toContain(` ${valueOf(number)}`);
  });
}

/** The digest and the value of a node's own copy, or the status of the answer. */
async function copyAt(id: string, number: number): Promise<string> {
  const { status, body } = await http.send(door(id), "GET", `/v1/replica/default/key-${number}`);
  if (status !== 200) return String(status);
  const { digest, siblings } = JSON.parse(body.toString()) as ReplicaBody;
  return [digest, ...siblings.map(({ value }) => Buffer.from(value, "base64"))].join(" ");
}

interface ReplicaBody {
  readonly digest: string;
  readonly siblings: readonly { readonly value: string }[];
}

async function untilForgotten(): Promise<void> {
  for (const id of ["n1", "n2", "n3"]) {
    await expect.poll(() => tombstones(id), { timeout: 120_000, interval: 100 }).toBe(0);
  }
}

async function tombstones(id: string): Promise<number> {
  const { body } = await http.send(door(id), "GET", "/metrics");
  return Number(/^coterie_reaping_tombstones (\d+)$/mu.exec(body.toString())?.[1]);
}

function door(id: string): string {
  return cluster.endpoints.find((endpoint) => endpoint.id === id)?.http ?? "";
}

function pathOf(number: number): string {
  return `/v1/buckets/default/keys/key-${number}`;
}

function valueOf(number: number): string {
  return `value ${number} ${"x".repeat(number % 97)}`;
}

async function forEach(count: number, visit: (number: number) => Promise<void>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const worker = async (): Promise<void> => {
    for (const number of numbers) await visit(number);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

function say(what: string, sinceMs: number): void {
  process.stdout.write(`${what} after ${((Date.now() - sinceMs) / 1000).toFixed(1)} s\n`);
}
