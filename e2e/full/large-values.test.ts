import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { HttpClient } from "../src/http-client.ts";
import { residentMebibytes } from "../src/process-memory.ts";
import { RealCluster } from "../src/real-cluster.ts";

const mebibyte = 1024 * 1024;
const writes = 400;
const inFlight = 16;
/**
 * Of a node, what it takes for the values of a peer that is stopped: 112 MiB of them may wait for
 * it, and some are on their way through the node, its disk and its collector. Less than is written.
 */
const growthMax = 250;

function pathOf(key: string): string {
  return `/v1/buckets/default/keys/${key}`;
}

function valueOf(at: number): Buffer {
  return Buffer.alloc(mebibyte, `value ${at} `);
}

it("large values for a stopped node take bounded memory, and small requests go on", async () => {
  const cluster = await RealCluster.start();
  const client = new HttpClient();
  try {
    const [first = "", second = "", third = ""] = cluster.doors;
    const pids = cluster.pids.slice(0, 2);
    cluster.pause("n3");
    const before = pids.map((pid) => residentMebibytes(pid).now);
    const written: number[] = [];
    let next = 0;
    const writer = async (): Promise<void> => {
      while (next < writes) {
        const at = next;
        next += 1;
        const door = at % 2 === 0 ? first : second;
        const { status } = await client.send(door, "PUT", pathOf(`large-${at}`), {
          body: valueOf(at),
        });
        if (status === 204) written.push(at);
      }
    };
    const flood = Promise.all(Array.from({ length: inFlight }, writer));
    const flooding = { isOver: false };
    void flood.then(() => {
      flooding.isOver = true;
    });
    let done = 0;
    let failed = 0;
    for (let at = 0; !flooding.isOver; at += 1) {
      const put = await client.send(first, "PUT", pathOf(`small-${at}`), { body: "small" });
      const get = await client.send(second, "GET", pathOf(`small-${at}`));
      if (put.status === 204 && get.body.toString() === "small") done += 1;
      else failed += 1;
      await sleep(20);
    }
    await flood;
    const after = pids.map((pid) => residentMebibytes(pid).most);
    const growth = after.map((most, at) => most - (before[at] ?? 0));
    process.stdout.write(`${JSON.stringify({ before, after, written: written.length, done })}\n`);
    expect(written.length).toBeGreaterThan(growthMax);
    expect(Math.max(...growth)).toBeLessThan(growthMax);
    expect(done).toBeGreaterThan(10);
    expect(failed).toBeLessThan(done / 10);
    cluster.resume("n3");
    for (const at of written.filter((_, place) => place % 40 === 0)) {
      const read = async (): Promise<boolean> => {
        const answer = await client.send(third, "GET", pathOf(`large-${at}`));
        return answer.status === 200 && answer.body.equals(valueOf(at));
      };
      await expect.poll(read, { timeout: 60_000 }).toBe(true);
    }
  } finally {
    client.close();
    await cluster.stop();
  }
}, 280_000);
