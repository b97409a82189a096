import { expect, it } from "vitest";
import { oneNode } from "./one-node.ts";

const url = "http://localhost/v1/buckets/default/keys/new";

it("creators that meet may all succeed, and their values become siblings", async () => {
  const { app } = await oneNode();
  const create = async (value: string): Promise<number> => {
    const headers = { "If-None-Match": "*" };
    return (await app.request(url, { method: "PUT", body: value, headers })).status;
  };
  const statuses = await Promise.all(["a", "b", "c"].map(create));
  const created = statuses.filter((status) => status === 201).length;
  expect(created).toBeGreaterThan(0);
  expect(statuses.filter((status) => status === 412)).toHaveLength(3 - created);
  const found = await app.request(url);
  expect(found.headers.get("coterie-siblings")).toBe(String(created));
  expect(await create("late")).toBe(412);
});
