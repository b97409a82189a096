import { expect, it } from "vitest";
import { RealCluster } from "../src/real-cluster.ts";

const patience = { timeout: 60_000, interval: 100 };

async function statuses(cluster: RealCluster, path: string): Promise<readonly number[]> {
  const answers = cluster.doors.map(async (door) => {
    const answer = await fetch(`http://${door}${path}`);
    await answer.arrayBuffer();
    return answer.status;
  });
  return Promise.all(answers);
}

async function put(door: string, path: string, body: string): Promise<number> {
  return (await fetch(`http://${door}${path}`, { method: "PUT", body })).status;
}

async function metric(door: string, name: string): Promise<number> {
  const metrics = await (await fetch(`http://${door}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "mu").exec(metrics)?.[1] ?? "NaN");
}

it("what expires is gone everywhere, stays gone after kill -9, and frees its bytes", async () => {
  // Kept for a minute it would be a long test.
  process.env["COTERIE_KEEP_EXPIRED_MS"] = "300";
  const cluster = await RealCluster.start();
  const [first = "", second = ""] = cluster.doors;
  try {
    const long = "/v1/buckets/default/keys/long";
    expect(await put(first, `${long}?ttl=3600000`, "v")).toBe(204);
    expect(await statuses(cluster, long)).toEqual([200, 200, 200]);

    const brief = "/v1/buckets/default/keys/brief";
    expect(await put(first, `${brief}?ttl=3000`, "v")).toBe(204);
    await expect.poll(() => statuses(cluster, brief), patience).toEqual([404, 404, 404]);
    await cluster.kill("n1", "n2", "n3");
    await cluster.revive("n1", "n2", "n3");
    expect(await statuses(cluster, brief)).toEqual([404, 404, 404]);
    expect(await statuses(cluster, long)).toEqual([200, 200, 200]);

    const sessions = "/v1/buckets/sessions";
    const created = await fetch(`http://${first}${sessions}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ policy: "lww", ttlMs: 1500 }),
    });
    expect(await created.json()).toMatchObject({ result: "created", ttlMs: 1500 });
    const ann = `${sessions}/keys/ann`;
    expect(await put(first, ann, "signed in")).toBe(204);
    await expect.poll(() => statuses(cluster, ann), patience).toEqual([404, 404, 404]);

    const live = "coterie_store_live_bytes";
    const before = await metric(second, live);
    const value = "v".repeat(100_000);
    for (let at = 0; at < 20; at += 1) {
      expect(await put(first, `/v1/buckets/default/keys/large${at}?ttl=1`, value)).toBe(204);
    }
    await expect.poll(() => metric(second, live), patience).toBeLessThan(before + 100_000);
    // Each value was dropped by some node on its own; others may have heard of that before.
    const dropped = cluster.doors.map((door) => metric(door, "coterie_expired_siblings_total"));
    const inAll = (await Promise.all(dropped)).reduce((sum, each) => sum + each, 0);
    expect(inAll).toBeGreaterThanOrEqual(20);
    expect(await statuses(cluster, "/v1/buckets/default/keys/large0")).toEqual([404, 404, 404]);
  } finally {
    delete process.env["COTERIE_KEEP_EXPIRED_MS"];
    await cluster.stop();
  }
}, 180_000);
