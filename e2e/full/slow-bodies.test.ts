import { describe, expect, it } from "vitest";
import { raiseOpenFiles } from "../src/hostile/idle-crowd.ts";
import { slowBodyReadings, valuePorts } from "../src/hostile/slow-bodies.ts";
import { WatchedNode } from "../src/hostile/watched-node.ts";

const kibibyte = 1024;
/** The setting `inFlightBytes`, which each port goes by. */
const boundBytes = 256 * kibibyte * kibibyte;
/** Of each connection: what it has besides, and what it is. */
const ownBytes = 64 * kibibyte;
const filesMax = 20_000;

/** As many as the system lets two processes have. */
function connectionsFor(node: WatchedNode): number {
  const isRaised = [process.pid, node.pid].every((pid) => raiseOpenFiles(pid, filesMax));
  if (isRaised) return 10_000;
  process.stderr.write("prlimit cannot raise the limit of open files: 800 connections only\n");
  return 800;
}

describe.each(Object.entries(valuePorts))("values that do not come whole over %s", (_, port) => {
  it("take bounded memory on 10 000 connections, and leave room for small ones", async () => {
    const node = await WatchedNode.start();
    const count = connectionsFor(node);
    const crowd = { count, bytes: 80 * kibibyte };
    const { before, during, servedDuring, left } = await slowBodyReadings(node, port, crowd);
    process.stdout.write(`${JSON.stringify({ count, left, before, during })}\n`);
    expect(during.liveBytes - before.liveBytes).toBeLessThan(boundBytes + count * ownBytes);
    expect(servedDuring).toBe(true);
    expect(node.complaints).toEqual([]);
    expect(await node.stop()).toBe(0);
  }, 280_000);
});
