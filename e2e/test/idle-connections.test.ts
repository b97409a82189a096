import { describe, expect, it } from "vitest";
import { attackedPorts } from "../src/hostile/attacked-ports.ts";
import { crowdReadings } from "../src/hostile/idle-crowd.ts";
import { WatchedNode } from "../src/hostile/watched-node.ts";

const kibibyte = 1024;
const connections = 500;

describe.each(Object.entries(attackedPorts))("the port for %s", (_, portOf) => {
  it("has little for each of 500 connections that keep it waiting", async () => {
    const node = await WatchedNode.start();
    const readings = await crowdReadings(node, portOf(node), connections);
    const { before, during, after } = readings;
    expect(during.files - before.files).toBeGreaterThan(connections * 0.9);
    expect(during.rssBytes - before.rssBytes).toBeLessThan(connections * 128 * kibibyte);
    expect(readings.servedDuring).toBe(true);
    expect(after.files - before.files).toBeLessThan(connections * 0.1);
    expect(after.liveBytes - before.liveBytes).toBeLessThan(8 * 1024 * kibibyte);
    expect(node.complaints).toEqual([]);
    expect(await node.stop()).toBe(0);
  });
});
