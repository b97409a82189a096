import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { coterie } from "../src/command.ts";
import { HttpClient } from "../src/http-client.ts";
import { refuseFound } from "../src/node-faults.ts";
import { RealCluster } from "../src/real-cluster.ts";

const keys = 100;
const http = new HttpClient();
const aside = mkdtempSync(join(tmpdir(), "coterie-rejoin-"));
let cluster: RealCluster;

beforeAll(async () => {
  // Whoever dies is missed sooner than usual: the test waits for that.
  const config = join(aside, "impatient.json");
  writeFileSync(config, JSON.stringify({ partitions: 64, probeIntervalMs: 200, suspicionMs: 500 }));
  cluster = await RealCluster.start({ arguments: ["--config", config] });
}, 90_000);
afterAll(async () => {
  await cluster.stop();
  rmSync(aside, { recursive: true });
});

function doorOf(id: string): string {
  const found = cluster.endpoints.find((endpoint) => endpoint.id === id);
  if (found === undefined) throw new Error(`there is no node ${id}`);
  return found.http;
}

async function putAll(prefix: string, ids: readonly string[]): Promise<void> {
  for (let number = 0; number < keys; number += 1) {
    const door = doorOf(ids[number % ids.length] ?? "");
    const path = `/v1/buckets/default/keys/${prefix}-${number}`;
    const { status } = await http.send(door, "PUT", path, { body: `${prefix} ${number}` });
    if (status >= 300) throw new Error(`${path}: ${status}`);
  }
}

/** The keys of which a node holds no copy. */
async function lackingAt(id: string, prefix: string): Promise<readonly string[]> {
  const lacking: string[] = [];
  for (let number = 0; number < keys; number += 1) {
    const path = `/v1/replica/default/${prefix}-${number}`;
    const { status } = await http.send(doorOf(id), "GET", path);
    if (status !== 200) lacking.push(`${prefix}-${number}: ${status}`);
  }
  return lacking;
}

function eventsOf(id: string): readonly string[] {
  const lines = readFileSync(join(cluster.directory, id, "coterie.log"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => (JSON.parse(line) as { readonly event: string }).event);
}

it(
  "a node that lost its directory rejoins, and holds all that it had held, without any read",
  { timeout: 120_000 },
  async () => {
    await putAll("before", ["n1", "n2", "n3"]);
    await cluster.kill("n2");
    renameSync(join(cluster.directory, "n2"), join(aside, "n2"));
    await putAll("meanwhile", ["n1", "n3"]);
    await cluster.revive("n2");
    await cluster.untilWhole("n2");
    expect(await lackingAt("n2", "before")).toEqual([]);
    expect(eventsOf("n2")).toEqual(expect.arrayContaining(["rejoining", "rejoined", "refilled"]));
    const others = [...eventsOf("n1"), ...eventsOf("n3")];
    expect(others.filter((event) => event === "directory-replaced")).toHaveLength(2);
    const { code, output } = await coterie("members", "--json", "--node", `http://${doorOf("n1")}`);
    expect([code, (JSON.parse(output) as { epoch: number }).epoch]).toEqual([0, 2]);
    await putAll("after", ["n1", "n2", "n3"]);

    await cluster.kill("n2");
    await refuseFound(cluster, "n2", join(aside, "n2"));
    await cluster.revive("n2");
    expect(await lackingAt("n2", "before")).toEqual([]);
  },
);
