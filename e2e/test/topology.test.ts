import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { coterie } from "../src/command.ts";
import { faultProblems } from "../src/fault-round.ts";
import { HttpClient } from "../src/http-client.ts";
import { Ledger } from "../src/ledger.ts";
import { Load } from "../src/load.ts";
import { type Endpoint, RealCluster } from "../src/real-cluster.ts";
import { verify } from "../src/verify.ts";

const ledger = new Ledger();
const http = new HttpClient();
let cluster: RealCluster;

beforeAll(async () => {
  cluster = await RealCluster.start();
}, 90_000);
afterAll(() => {
  http.close();
  return cluster.stop();
});

interface TopologyBody {
  readonly moves: number;
  readonly leftovers: number;
  readonly members: readonly { readonly id: string; readonly copies: number }[];
}

function doorOf(id: string): string {
  return cluster.endpoints.find((endpoint) => endpoint.id === id)?.http ?? "";
}

async function topologyAt(id: string): Promise<TopologyBody> {
  const answer = await http.send(doorOf(id), "GET", "/v1/topology");
  return JSON.parse(answer.body.toString()) as TopologyBody;
}

/** Writes under a change of the members, and reads all that was ever written from every copy. */
async function underLoad(name: string, change: (load: Load) => Promise<void>): Promise<void> {
  const load = new Load(cluster.endpoints, ledger, name);
  try {
    await load.untilAcknowledged(200);
    await change(load);
    await load.untilAcknowledged(100);
  } finally {
    await load.stop();
  }
  const verification = await verify(cluster.endpoints, ledger);
  // Where the machine is busy a request may take longer than its deadline: clients send it again.
  const failures = load.failures.filter(({ status }) => status !== 504);
  expect(faultProblems({ name, failures, verification })).toEqual([]);
}

it("a node joins, and holds its share of what was written before and meanwhile", async () => {
  await underLoad("join", async (load) => {
    const added: Endpoint = await cluster.add();
    load.join(added);
    await cluster.untilQuiet();
  });
  const { moves, leftovers, members } = await topologyAt("n2");
  expect([moves, leftovers]).toEqual([0, 0]);
  expect(members.map(({ id, copies }) => [id, copies])).toEqual([
    ["n1", 48],
    ["n2", 48],
    ["n3", 48],
    ["n4", 48],
  ]);
}, 120_000);

it("a node leaves by a plan and its hash, and its process ends", async () => {
  const asked = ["--node", `http://${doorOf("n1")}`];
  await underLoad("leave", async (load) => {
    // It answers until it has handed over all that it holds, and then no more.
    load.excuse("n2");
    const planned = await coterie("plan", "leave", "n2", ...asked);
    expect(planned.stdout).toMatch(/^n2 +48 +0 +0 /mu);
    const [, hash = ""] = /coterie commit ([0-9a-f]+)/u.exec(planned.stderr) ?? [];
    // By way of a node that has not made the plan, and by the beginning of its hash.
    const other = ["--node", `http://${doorOf("n3")}`];
    const committed = await coterie("commit", hash.slice(0, 8), "--wait", ...other);
    expect(committed).toMatchObject({ code: 0 });
    await untilGone("n2");
    load.leave("n2");
  });
  const { members } = await topologyAt("n4");
  expect(members.map(({ id, copies }) => [id, copies])).toEqual([
    ["n1", 64],
    ["n3", 64],
    ["n4", 64],
  ]);
  const again = await coterie("plan", "leave", "n3", ...asked);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("wants 3 copies")]);
}, 120_000);

it("started again, the cluster has the members that it had, and all that was written", async () => {
  await cluster.stop({ keepData: true });
  cluster = await RealCluster.start({ directory: cluster.directory });
  expect(cluster.endpoints.map(({ id }) => id)).toEqual(["n1", "n3", "n4"]);
  const verification = await verify(cluster.endpoints, ledger);
  expect(faultProblems({ name: "restart", failures: [], verification })).toEqual([]);
}, 120_000);

/** `coterie dev` notices that a node has left, and does not count on it any more. */
async function untilGone(id: string): Promise<void> {
  while (RealCluster.idsIn(cluster.directory).includes(id)) await sleep(50);
  cluster.forget(id);
}
