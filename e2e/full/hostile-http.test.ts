import { request } from "node:http";
import { type Socket, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { KvClient } from "../src/kv.ts";
import { residentMebibytes } from "../src/process-memory.ts";
import { RealCluster } from "../src/real-cluster.ts";

const kv = new KvClient();
let cluster: RealCluster;
let door: string;
let pid: number;

beforeAll(async () => {
  cluster = await RealCluster.start();
  [door] = cluster.doors as [string];
  pid = cluster.pidOf("n1");
  return async () => {
    kv.close();
    await cluster.stop();
  };
}, 90_000);

function open(): Promise<Socket> {
  const [host, port] = door.split(":") as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) }, () => {
      socket.on("error", () => undefined);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

async function openMany(count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const left = Math.min(200, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: left }, open))));
  }
  return sockets;
}

const mebibytesOfValues = 256;

it("keeps its memory when 200 clients ask for 8 MiB and read nothing", async () => {
  const value = "v".repeat(8 * 1024 * 1024);
  expect((await kv.put(door, "large", value)).status).toBe(204);
  const before = residentMebibytes(pid).now;
  const sockets = await openMany(200);
  for (const socket of sockets) {
    socket.pause();
    socket.write("GET /v1/buckets/default/keys/large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  // A put may wait for the peers, who are sending the copies, but is never refused for good.
  for (let second = 0; second < 10; second += 1) {
    await sleep(1000);
    while ((await kv.put(door, `small-${second}`, "s")).status !== 204) await sleep(100);
  }
  // What may be read at once, and what may be left unread: each has the default of this limit.
  expect(residentMebibytes(pid).most - before).toBeLessThan(2 * mebibytesOfValues);
  expect(await worstDelaySeconds()).toBeLessThan(0.2);
  for (const socket of sockets) socket.destroy();
}, 120_000);

it("keeps its memory with nearly 10 000 idle connections", async () => {
  const before = residentMebibytes(pid).now;
  const sockets = await openMany(9900);
  for (const socket of sockets.slice(0, 5000)) socket.write("GET /livez HTTP/1.1\r\nHost: l");
  await sleep(2000);
  expect((await kv.put(door, "busy", "s")).status).toBe(204);
  expect(residentMebibytes(pid).now - before).toBeLessThan(200);
  for (const socket of sockets) socket.destroy();
}, 120_000);

it("needs little more memory for a batch of a million lines than for a tenth of it", async () => {
  expect(await sendLines(100_000)).toContain('{"done":true,"lines":100000,"failed":0}');
  const before = residentMebibytes(pid).most;
  expect(await sendLines(1_000_000)).toContain('{"done":true,"lines":1000000,"failed":0}');
  const { most } = residentMebibytes(pid);
  console.info(`resident after 100 000 lines: ${before} MiB, after a million more: ${most} MiB`);
  expect(most - before).toBeLessThan(50);
}, 300_000);

/** Sends a batch as fast as it is taken, and returns the end of its answer. */
function sendLines(lines: number): Promise<string> {
  const block = Buffer.from('{"op":"get","key":"none","r":1}\n'.repeat(1000));
  let sent = 0;
  let tail = "";
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/x-ndjson" };
    const outgoing = request(`http://${door}/v1/batch`, { method: "POST", headers }, (incoming) => {
      incoming.setEncoding("latin1");
      incoming.on("data", (text: string) => {
        tail = (tail + text).slice(-100);
      });
      incoming.on("error", reject);
      incoming.on("end", () => resolve(tail));
    });
    outgoing.on("error", reject);
    const feed = (): void => {
      while (sent < lines) {
        sent += 1000;
        if (!outgoing.write(block)) {
          outgoing.once("drain", feed);
          return;
        }
      }
      outgoing.end();
    };
    feed();
  });
}

it("has lived through all of it", async () => {
  expect(cluster.pidOf("n1")).toBe(pid);
  expect((await kv.put(door, "after", "all")).status).toBe(204);
});

/** The 99th percentile since it was asked last: one turn may be late for reasons of the machine. */
async function worstDelaySeconds(): Promise<number> {
  const text = await (await fetch(`http://${door}/metrics`)).text();
  return Number(/^coterie_event_loop_delay_p99_seconds (\S+)$/mu.exec(text)?.[1]);
}
