import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { coterie } from "../src/command.ts";
import { HttpClient } from "../src/http-client.ts";
import { RealCluster } from "../src/real-cluster.ts";

const keys = 300;
const atOnce = 50;
const http = new HttpClient();
let cluster: RealCluster;

beforeAll(async () => {
  cluster = await RealCluster.start();
}, 90_000);
afterAll(() => cluster.stop());

function doorOf(id: string): string {
  const found = cluster.endpoints.find((endpoint) => endpoint.id === id);
  if (found === undefined) throw new Error(`there is no node ${id}`);
  return found.http;
}

/** Puts the keys strictly, so that no other node holds them for the one that is away. */
async function putAll(prefix: string, through: readonly string[]): Promise<void> {
  for (let start = 0; start < keys; start += atOnce) {
    const puts = Array.from({ length: atOnce }, (_, index) => {
      const number = start + index;
      const door = doorOf(through[number % through.length] ?? "");
      const path = `/v1/buckets/default/keys/${prefix}-${number}?strict=true`;
      return http.send(door, "PUT", path, { body: `${prefix} ${number}` });
    });
    for (const { status, body } of await Promise.all(puts)) {
      if (status >= 300) throw new Error(`${status}: ${body.toString()}`);
    }
  }
}

/** Resolves when the node's own copy of every key is there; no coordinator is asked for any. */
async function untilHeld(prefix: string, id: string): Promise<void> {
  for (let number = 0; number < keys; number += 1) {
    const path = `/v1/replica/default/${prefix}-${number}`;
    while ((await http.send(doorOf(id), "GET", path)).status !== 200) await sleep(20);
  }
}

async function untilOwed(id: string): Promise<readonly { readonly target: string }[]> {
  for (;;) {
    const answer = await http.send(doorOf(id), "GET", "/v1/hints");
    const { debts } = JSON.parse(answer.body.toString()) as { debts: { target: string }[] };
    if (debts.length > 0) return debts;
    await sleep(20);
  }
}

it(
  "a node that was killed gets what it missed, without any read",
  { timeout: 90_000 },
  async () => {
    await cluster.kill("n3");
    await putAll("missed", ["n1", "n2"]);
    await untilOwed("n1");
    const shown = await coterie("hints", "--node", `http://${doorOf("n1")}`);
    expect(shown.output).toMatch(/^n1 +n3 +missed +\d+ /mu);
    await cluster.revive("n3");
    await untilHeld("missed", "n3");
  },
);

it(
  "also if its coordinators are killed and restarted before it is back",
  { timeout: 90_000 },
  async () => {
    await cluster.kill("n3");
    await putAll("again", ["n1", "n2"]);
    for (const id of ["n1", "n2"]) {
      await cluster.kill(id);
      await cluster.revive(id);
      const targets = (await untilOwed(id)).map(({ target }) => target);
      expect(targets).toContain("n3");
    }
    await cluster.revive("n3");
    await untilHeld("again", "n3");
  },
);
