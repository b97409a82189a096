import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttackedPort } from "./attacks.ts";
import { HostileClient } from "./hostile-client.ts";
import type { ProbeReading, WatchedNode } from "./watched-node.ts";
import {
  endHeaders,
  frame,
  frameTypes,
  grpcHead,
  grpcMessage,
  preface,
  setting,
} from "./http2-frames.ts";

/** How a connection of the crowd keeps a node waiting. */
const manners: readonly ((client: HostileClient, port: AttackedPort) => Promise<void>)[] = [
  // Says nothing at all.
  async () => {},
  // Begins to say something.
  (client) => client.send(preface.subarray(0, 10)),
  // Makes a call, and has nothing to say in it.
  (client, { path }) => client.send(opened(path)),
  // Makes a call, and sends one byte of a message.
  (client, { path, message }) =>
    client.send(
      Buffer.concat([
        opened(path),
        frame({ type: frameTypes.data, stream: 1 }, grpcMessage(message).subarray(0, 6)),
      ]),
    ),
  // Asks, and reads no answer.
  (client, { path, message }) => {
    client.stopReading();
    return client.send(
      Buffer.concat([
        opened(path),
        frame({ type: frameTypes.data, stream: 1 }, grpcMessage(message)),
      ]),
    );
  },
];

function opened(path: string): Buffer {
  const call = frame({ type: frameTypes.headers, flags: endHeaders, stream: 1 }, grpcHead(path));
  // Not a byte of an answer may be sent.
  return Buffer.concat([preface, setting(4, 0), call]);
}

/** What a node's own work makes its memory differ by. */
const bytesOwn = 8 * 1024 * 1024;

/** A node before, with, and after a crowd. */
export interface CrowdReadings {
  readonly before: CrowdReading;
  readonly during: CrowdReading;
  readonly after: CrowdReading;
  readonly servedDuring: boolean;
}

export type CrowdReading = ProbeReading & {
  /** Files that the process has open; a connection is one. */
  readonly files: number;
};

async function readingOf(node: WatchedNode): Promise<CrowdReading> {
  return { ...(await node.read()), files: readdirSync(`/proc/${node.pid}/fd`).length };
}

/** Opens so many connections, reads the node's memory, and closes them. */
export async function crowdReadings(
  node: WatchedNode,
  port: AttackedPort,
  count: number,
): Promise<CrowdReadings> {
  await node.serves();
  const before = await readingOf(node);
  const crowd = await openCrowd(port, count);
  const servedDuring = await node.serves();
  let during = await readingOf(node);
  // The system has taken more connections than the node has yet.
  for (let left = 100; left > 0 && during.files < before.files + count * 0.95; left -= 1) {
    await sleep(20);
    during = await readingOf(node);
  }
  for (const client of crowd) client.close();
  let after = await readingOf(node);
  // A few of its own, of the requests in between, may stay.
  for (let left = 250; left > 0 && after.files > before.files + 4; left -= 1) {
    await sleep(20);
    after = await readingOf(node);
  }
  // What timers still hold of a connection that is gone, they let go of when they fire.
  for (let left = 90; left > 0 && after.liveBytes > before.liveBytes + bytesOwn; left -= 1) {
    await sleep(1000);
    after = await readingOf(node);
  }
  return { before, during, after, servedDuring };
}

/** Opens so many connections, of every manner, some at a time. */
async function openCrowd(port: AttackedPort, count: number): Promise<HostileClient[]> {
  const atOnce = 50;
  const crowd: HostileClient[] = [];
  while (crowd.length < count) {
    const some = await Promise.all(
      Array.from({ length: Math.min(atOnce, count - crowd.length) }, () =>
        HostileClient.open(port.port),
      ),
    );
    for (const client of some) {
      await manners[crowd.length % manners.length]?.(client, port);
      crowd.push(client);
    }
    await sleep(1);
  }
  return crowd;
}

/** Lets a process open so many files; false if this one may not allow it. */
export function raiseOpenFiles(pid: number, count: number): boolean {
  try {
    execFileSync("prlimit", ["--pid", String(pid), `--nofile=${count}:${count}`], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
