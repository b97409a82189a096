import { describe, expect, it } from "vitest";
import { slowBodyReadings, valuePorts } from "../src/hostile/slow-bodies.ts";
import { WatchedNode } from "../src/hostile/watched-node.ts";

const mebibyte = 1024 * 1024;
/** The setting `inFlightBytes`, which each port goes by. */
const boundBytes = 256 * mebibyte;
/** Connections themselves, and what each of them has besides. Unbounded it would be 270 MiB. */
const slackBytes = 64 * mebibyte;

describe.each(Object.entries(valuePorts))("values that do not come whole over %s", (_, port) => {
  it("take as much memory as they may together, and leave room for small ones", async () => {
    const node = await WatchedNode.start();
    const crowd = { count: 240, bytes: 2 * mebibyte };
    const { before, during, servedDuring, left } = await slowBodyReadings(node, port, crowd);
    expect(during.liveBytes - before.liveBytes).toBeLessThan(boundBytes + slackBytes);
    expect(servedDuring).toBe(true);
    // Some were taken, and those for which there was no room were refused.
    expect(left).toBeGreaterThan(20);
    expect(node.complaints).toEqual([]);
    expect(await node.stop()).toBe(0);
  }, 240_000);
});
