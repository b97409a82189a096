import { describe, expect, it } from "vitest";
import { attackedPorts } from "../src/hostile/attacked-ports.ts";
import { crowdReadings, raiseOpenFiles } from "../src/hostile/idle-crowd.ts";
import { WatchedNode } from "../src/hostile/watched-node.ts";

const kibibyte = 1024;
const filesMax = 20_000;

/** As many as the system lets two processes have. */
function connectionsFor(node: WatchedNode): number {
  const isRaised = [process.pid, node.pid].every((pid) => raiseOpenFiles(pid, filesMax));
  if (isRaised) return 10_000;
  process.stderr.write("prlimit cannot raise the limit of open files: 800 connections only\n");
  return 800;
}

describe.each(Object.entries(attackedPorts))("the port for %s", (_, portOf) => {
  it("has little for each of 10 000 connections that keep it waiting", async () => {
    const node = await WatchedNode.start();
    const connections = connectionsFor(node);
    const readings = await crowdReadings(node, portOf(node), connections);
    const { before, during, after } = readings;
    process.stdout.write(`${JSON.stringify({ connections, before, during, after })}\n`);
    expect(during.rssBytes - before.rssBytes).toBeLessThan(connections * 64 * kibibyte);
    expect(readings.servedDuring).toBe(true);
    expect(after.files - before.files).toBeLessThan(connections * 0.1);
    expect(after.liveBytes - before.liveBytes).toBeLessThan(16 * 1024 * kibibyte);
    expect(node.complaints).toEqual([]);
    expect(await node.stop()).toBe(0);
  });
});
