import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { coterie } from "./command.ts";
import type { Fault } from "./fault-round.ts";
import { KvClient } from "./kv.ts";
import type { RealCluster } from "./real-cluster.ts";

/** These nodes die between two instructions, all in one go. */
export function killed(...ids: readonly string[]): Fault<RealCluster> {
  return {
    name: `${ids.join(", ")} killed`,
    excused: [],
    silent: ids,
    inflict: (cluster) => cluster.kill(...ids),
    heal: (cluster) => cluster.revive(...ids),
  };
}

/** A node stands still, and goes on where it was. */
export function stopped(id: string): Fault<RealCluster> {
  return {
    name: `${id} stands still`,
    excused: [],
    silent: [id],
    inflict: async (cluster) => cluster.pause(id),
    heal: async (cluster) => {
      cluster.resume(id);
      await cluster.untilReady(id);
    },
  };
}

/**
 * A node dies, and its directory is gone. It rejoins with an empty one and is refilled by the
 * others; then the directory is found again, and refused.
 */
export function wiped(id: string): Fault<RealCluster> {
  const asideIn = (cluster: RealCluster): string => join(cluster.directory, "aside");
  return {
    name: `${id} is wiped`,
    excused: [],
    silent: [id],
    inflict: async (cluster) => {
      await cluster.kill(id);
      renameSync(join(cluster.directory, id), asideIn(cluster));
    },
    heal: async (cluster) => {
      await cluster.revive(id);
      await cluster.untilWhole(id);
      await cluster.kill(id);
      await refuseFound(cluster, id, asideIn(cluster));
      await cluster.revive(id);
    },
  };
}

/** A node that has another directory by now must not start on the one that it had lost. */
export async function refuseFound(cluster: RealCluster, id: string, found: string): Promise<void> {
  const own = join(cluster.directory, id);
  const newer = `${own}-newer`;
  renameSync(own, newer);
  renameSync(found, own);
  const { code, output } = await coterie(...cluster.startWords(id));
  if (code !== 1 || !output.includes("another directory has taken the place of this one")) {
    throw new Error(`${id} on the directory that it had lost: exit code ${code}\n${output}`);
  }
  rmSync(own, { recursive: true });
  renameSync(newer, own);
}

/** The disk of a node, a small one of its own, is full for a while: it serves by way of others. */
export function fullDisk(id: string): Fault<RealCluster> {
  const fillerIn = (cluster: RealCluster): string => join(cluster.directory, id, "filler");
  return {
    name: `the disk of ${id} is full`,
    excused: [],
    silent: [],
    inflict: async (cluster) => {
      fill(fillerIn(cluster));
      const door = cluster.endpoints.find((endpoint) => endpoint.id === id)?.http ?? "";
      const client = new KvClient();
      for (let at = 0; !(await isFull(door)); at += 1) {
        await client.put(door, `full-${at % 10}`, "x".repeat(1 << 18));
      }
      client.close();
    },
    heal: async (cluster) => {
      rmSync(fillerIn(cluster));
      const door = cluster.endpoints.find((endpoint) => endpoint.id === id)?.http ?? "";
      while (await isFull(door)) await sleep(50);
    },
  };
}

async function isFull(door: string): Promise<boolean> {
  const answer = await fetch(`http://${door}/metrics`);
  return (await answer.text()).includes("\ncoterie_store_disk_full 1\n");
}

function fill(file: string): void {
  const descriptor = openSync(file, "w");
  for (const bytes of [1 << 20, 1 << 12]) {
    try {
      for (;;) writeSync(descriptor, Buffer.alloc(bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  closeSync(descriptor);
}
