import { expect, it } from "vitest";
import { SmallCluster, node } from "../small-cluster.ts";
import { change, fill, offer, settle } from "./small-moves.ts";

/** Milliseconds that a fourth node takes to have all that it is to hold, at such a load. */
async function joined(isBusy: boolean): Promise<number> {
  const small = await SmallCluster.start();
  await fill(small, 1, 2000);
  await offer(small, 4);
  if (isBusy) {
    // Nothing is left for anything but clients, and they are many.
    for (const number of [1, 2, 3, 4]) small.at(number).pressure.noteUtilization(1);
    for (let request = 0; request < 1000; request += 1) small.at(4).pressure.begin(0);
  }
  const beganMs = small.world.nowMs;
  await change(small, 1, { join: [node(4)] });
  await settle(small, 1);
  return small.world.nowMs - beganMs;
}

it("a node that joins gives way to clients, but not the more the busier nodes are", async () => {
  const idleMs = await joined(false);
  const busyMs = await joined(true);
  expect(busyMs).toBeGreaterThan(idleMs);
  expect(busyMs).toBeLessThan(idleMs + 1000);
});
