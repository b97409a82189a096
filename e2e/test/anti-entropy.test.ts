import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HttpClient } from "../src/http-client.ts";
import { RealCluster } from "../src/real-cluster.ts";

const keys = 300;
const http = new HttpClient();
let cluster: RealCluster;

// What a node misses nobody brings it: comparing has to find it.
const settings = { COTERIE_HANDOFF_BYTES: "0", COTERIE_ANTI_ENTROPY: "500" };

beforeAll(async () => {
  Object.assign(process.env, settings);
  cluster = await RealCluster.start();
}, 90_000);
afterAll(async () => {
  for (const name of Object.keys(settings)) delete process.env[name];
  await cluster.stop();
});

function doorOf(id: string): string {
  const found = cluster.endpoints.find((endpoint) => endpoint.id === id);
  if (found === undefined) throw new Error(`there is no node ${id}`);
  return found.http;
}

it(
  "a node that was killed gets what it missed by comparing, without any read",
  { timeout: 90_000 },
  async () => {
    await cluster.kill("n3");
    const puts = Array.from({ length: keys }, (_, number) => {
      const path = `/v1/buckets/default/keys/key-${number}?strict=true`;
      return http.send(doorOf(number % 2 === 0 ? "n1" : "n2"), "PUT", path, { body: "x" });
    });
    for (const { status } of await Promise.all(puts)) expect(status).toBeLessThan(300);
    await cluster.revive("n3");
    for (let number = 0; number < keys; number += 1) {
      const path = `/v1/replica/default/key-${number}`;
      while ((await http.send(doorOf("n3"), "GET", path)).status !== 200) await sleep(20);
    }
  },
);
