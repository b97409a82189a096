import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { coterie } from "../src/command.ts";
import { RealCluster } from "../src/real-cluster.ts";

interface MemberAnswer {
  readonly id: string;
  readonly state: string;
  readonly incarnation: number;
  readonly rttMs: number | null;
}

let cluster: RealCluster;

beforeAll(async () => {
  cluster = await RealCluster.start();
}, 90_000);
afterAll(() => cluster.stop());

async function membersAt(id: string): Promise<readonly MemberAnswer[]> {
  const door = cluster.endpoints.find((endpoint) => endpoint.id === id)?.http ?? "";
  const answer = await fetch(`http://${door}/v1/members`);
  const { members } = (await answer.json()) as { readonly members: readonly MemberAnswer[] };
  return members;
}

/** Resolves when the node has the other one in that state. */
async function until(on: string, id: string, state: string): Promise<MemberAnswer> {
  for (;;) {
    const member = (await membersAt(on)).find((each) => each.id === id);
    if (member?.state === state) return member;
    await sleep(20);
  }
}

it(
  "all members are alive, with a round trip, and the command says so",
  { timeout: 60_000 },
  async () => {
    for (const on of ["n1", "n2", "n3"]) {
      for (const id of ["n1", "n2", "n3"]) await until(on, id, "alive");
    }
    const isMeasured = async (): Promise<boolean> =>
      (await membersAt("n1")).filter(({ rttMs }) => rttMs !== null).length === 2;
    while (!(await isMeasured())) await sleep(20);
    const shown = await coterie("members", "--node", `http://${cluster.doors[0]}`);
    expect(shown.output).toMatch(/^n1 +itself /mu);
    expect(shown.output).toMatch(/^n2 +alive .* ms /mu);
  },
);

it(
  "a process that stands still is suspected, dead later, and alive again",
  { timeout: 60_000 },
  async () => {
    cluster.pause("n2");
    await until("n1", "n2", "suspect");
    await until("n3", "n2", "suspect");
    await until("n1", "n2", "dead");
    cluster.resume("n2");
    const returned = await until("n1", "n2", "alive");
    expect(returned.incarnation).toBeGreaterThan(0);
    for (const id of ["n1", "n3"]) await until("n2", id, "alive");
  },
);

it(
  "a process that was killed is suspected, and alive once it is back",
  { timeout: 60_000 },
  async () => {
    await cluster.kill("n3");
    await until("n1", "n3", "suspect");
    await cluster.revive("n3");
    const returned = await until("n1", "n3", "alive");
    // It was told what it was held for, and took a later incarnation.
    expect(returned.incarnation).toBeGreaterThan(0);
    await until("n2", "n3", "alive");
  },
);
