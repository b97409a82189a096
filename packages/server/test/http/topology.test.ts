import { beforeAll, expect, it } from "vitest";
import { oneNode } from "./one-node.ts";

interface Answer {
  readonly code?: string;
  readonly message?: string;
  readonly hash?: string;
}

let post: (path: string, body?: unknown) => Promise<{ status: number; body: Answer }>;

beforeAll(async () => {
  const { app } = await oneNode();
  post = async (path, body) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await app.request(`http://localhost/v1/${path}`, { method: "POST", ...init });
    return { status: answer.status, body: (await answer.json()) as Answer };
  };
});

const heavier = (weight: number): object => ({ set: [{ id: "n1", weight }] });

it("a plan is committed by the first digits of its hash, and once", async () => {
  const planned = await post("plan", heavier(2));
  expect(planned).toMatchObject({
    status: 200,
    body: { epoch: 2, partitions: 0, copies: 0, bytes: 0, removed: [], waitsFor: [], risks: [] },
  });
  const { hash = "" } = planned.body;
  expect(await post("commit", { hash: hash.slice(0, 8) })).toEqual({
    status: 200,
    body: { epoch: 2, partitions: 0 },
  });
  // It is what the cluster goes by: nothing is left to do, and nothing is done twice.
  expect(await post("commit", { hash })).toMatchObject({ status: 200, body: { epoch: 2 } });
  expect(await post("plan", heavier(2))).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining("that changes nothing") },
  });
});

it("a plan that the cluster has left behind is stale", async () => {
  const one = await post("plan", heavier(3));
  const two = await post("plan", heavier(4));
  expect((await post("commit", { hash: two.body.hash })).status).toBe(200);
  expect(await post("commit", { hash: one.body.hash })).toMatchObject({
    status: 409,
    body: { code: "stale-plan" },
  });
  // Also if the change is said once more beside the hash.
  expect(await post("commit", { hash: one.body.hash, ...heavier(3) })).toMatchObject({
    status: 409,
    body: { code: "stale-plan" },
  });
});

it("a node that has not made the plan takes the change beside the hash", async () => {
  const { hash } = (await post("plan", heavier(5))).body;
  expect((await post("commit", { hash, ...heavier(5) })).status).toBe(200);
});

it.each([
  [{ leave: ["n1"] }, "bad-request", /at least one node/u],
  [{ leave: ["n9"] }, "no-such-node", /n9 is not a member/u],
  [{ join: ["n1"] }, "bad-request", /n1 is a member already/u],
  [{ join: ["n4"] }, "no-such-node", /n4 is no member and does not offer itself/u],
  [{ replace: [{ id: "n1", by: "n4" }] }, "no-such-node", /n4 is no member/u],
  [{ joins: ["n4"] }, "bad-request", /a change has no joins/u],
  [{ join: "n4" }, "bad-request", /^bad-request: join: /u],
  [{ join: ["a b"] }, "bad-request", /no name of a node/u],
  [{ set: [{ id: "n1", weight: 0 }] }, "bad-request", /weight/u],
  [[], "bad-request", /is a JSON object/u],
  [{}, "bad-request", /that changes nothing/u],
])("%j is refused: %s", async (change, code, message) => {
  const { body } = await post("plan", change);
  expect([body.code, body.message]).toEqual([code, expect.stringMatching(message)]);
});
