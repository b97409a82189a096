import { afterEach, beforeEach, expect, it } from "vitest";
import { DevMembers } from "../src/dev/dev-members.ts";
import { FakeNode } from "./fake-node.ts";

let node: FakeNode;
let members: DevMembers;

beforeEach(async () => {
  node = await FakeNode.start();
  members = new DevMembers(() => [new URL(node.url).host]);
});

afterEach(async () => {
  members.close();
  await node.stop();
});

/** The node makes one plan, and refuses what is asked of it afterwards. */
function plansOnce(refusal: string, present: readonly string[]): void {
  let plans = 0;
  node.intercept = ({ url }) => {
    if (url === "/v1/topology") {
      const listed = present.map((id) => ({ id, departure: null }));
      return { status: 200, body: { members: listed, offers: [] } };
    }
    if (url === "/v1/commit") return { status: 409, body: { code: "no-majority", message: "" } };
    plans += 1;
    if (plans === 1) return { status: 200, body: { hash: "aa", epoch: 2 } };
    return { status: 400, body: { code: "bad-request", message: refusal } };
  };
}

const wanted = (): boolean => true;

it("a change that was agreed on though its commit was said to have failed is done", async () => {
  plansOnce("n4 is a member already", ["n1", "n4"]);
  expect(await members.change({ join: ["n4"] }, wanted)).toBeUndefined();
  plansOnce("n4 is no member", ["n1"]);
  expect(await members.change({ leave: ["n4"] }, wanted)).toBeUndefined();
});

it("what is in the way of a change that was not agreed on is told", async () => {
  plansOnce("no", ["n1"]);
  expect(await members.change({ join: ["n4"] }, wanted)).toBe("no");
  plansOnce("no", ["n1", "n4"]);
  expect(await members.change({ remove: ["n4"] }, wanted)).toBe("no");
});

it("a member that is asked to join at first is refused, though it is one", async () => {
  node.intercept = ({ url }) =>
    url === "/v1/topology"
      ? { status: 200, body: { members: [{ id: "n4", departure: null }], offers: [] } }
      : { status: 400, body: { code: "bad-request", message: "n4 is a member already" } };
  expect(await members.change({ join: ["n4"] }, wanted)).toBe("n4 is a member already");
});
