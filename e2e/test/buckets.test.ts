import { Coterie, text } from "@coterie/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { coterie } from "../src/command.ts";
import { RealCluster } from "../src/real-cluster.ts";

let cluster: RealCluster;

beforeAll(async () => {
  cluster = await RealCluster.start();
}, 120_000);

afterAll(async () => cluster.stop());

function door(node: number): string {
  return cluster.doors[node - 1] ?? "";
}

function send(node: number, method: string, path: string, body?: string): Promise<Response> {
  return fetch(`http://${door(node)}${path}`, { method, ...(body !== undefined && { body }) });
}

async function statusOf(
  node: number,
  method: string,
  path: string,
  body?: string,
): Promise<number> {
  const response = await send(node, method, path, body);
  await response.arrayBuffer();
  return response.status;
}

async function textOf(node: number, path: string): Promise<string> {
  return (await send(node, "GET", path)).text();
}

const carts = "/v1/buckets/carts";

it("a bucket made at one node is there at the others, and after a kill of all", async () => {
  const made = await coterie("bucket", "create", "carts", "--node", `http://${door(1)}`);
  expect(made).toMatchObject({ code: 0 });
  expect(await statusOf(2, "PUT", `${carts}/keys/k`, "value")).toBe(204);
  expect(await textOf(3, `${carts}/keys/k`)).toBe("value");
  await cluster.kill("n1", "n2", "n3");
  await cluster.revive("n1", "n2", "n3");
  expect(await textOf(3, `${carts}/keys/k`)).toBe("value");
  expect(await statusOf(1, "PUT", carts, "{}")).toBe(200);
  expect(await statusOf(1, "PUT", carts, '{"policy":"lww"}')).toBe(409);
}, 120_000);

it("a client that was there before a bucket uses it at once", async () => {
  const client = new Coterie({ nodes: cluster.endpoints.map(({ grpc }) => grpc) });
  try {
    const timeoutMs = 20_000;
    const fresh = client.bucket("fresh", { codec: text });
    await expect(fresh.put("k", "v", { timeoutMs })).rejects.toThrow("no-such-bucket");
    expect(await statusOf(3, "PUT", "/v1/buckets/fresh", '{"w":3,"r":1}')).toBe(201);
    await fresh.put("k", "v", { timeoutMs });
    expect(await fresh.get("k", { timeoutMs })).toMatchObject({ value: "v" });
  } finally {
    await client.close();
  }
}, 60_000);

it("a node that was down when a bucket was made knows it when it is back", async () => {
  await cluster.kill("n3");
  expect(await statusOf(1, "PUT", "/v1/buckets/late", '{"policy":"lww"}')).toBe(201);
  await cluster.revive("n3");
  expect(await statusOf(3, "PUT", "/v1/buckets/late/keys/k", "value")).toBe(204);
  expect(await textOf(3, "/v1/buckets")).toContain('"late"');
}, 120_000);

it("without a majority no bucket is made, and with one again it is", async () => {
  await cluster.kill("n2", "n3");
  const refused = await send(1, "PUT", "/v1/buckets/alone");
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: "no-majority", retryable: true });
  expect(await statusOf(1, "GET", `${carts}/keys/k?r=1`)).toBe(200);
  await cluster.revive("n2");
  expect(await statusOf(1, "PUT", "/v1/buckets/alone")).toBe(201);
  await cluster.revive("n3");
}, 120_000);
