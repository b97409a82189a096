// The thread that executes inputs. What it is doing is in shared memory: whoever watches it can end
// it, and still knows the input that it could not get over.
import { register } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { Campaign } from "./campaign.ts";
import { Feedback } from "./feedback.ts";
import { loadTarget, readCorpus, readFound } from "./target.ts";
import type { FuzzOrder, FuzzThreadReport } from "./watched-thread.ts";

const order = workerData as FuzzOrder;
const progress = new Int32Array(order.progress);
const current = new Uint8Array(order.current);

const feedback = new Feedback();
feedback.install();
register("./instrument-hooks.js", import.meta.url);
const target = await loadTarget(order.path);
const campaign = new Campaign({
  target,
  feedback,
  seed: order.seed,
  corpus:
    order.input === undefined
      ? [...readFound(order.path).map(({ input }) => input), ...readCorpus(order.path)]
      : [order.input],
  isBlind: order.isBlind,
  beforeRun(input) {
    const length = Math.min(input.length, current.length);
    current.set(input.subarray(0, length));
    Atomics.store(progress, 1, length);
    Atomics.add(progress, 0, 1);
  },
});

/** Between these, the clock is looked at. */
const sliceRuns = 200;
const endMs = performance.now() + order.milliseconds;
let isGoingOn = await campaign.run(0);
while (isGoingOn && campaign.runs < order.runs && performance.now() < endMs) {
  isGoingOn = await campaign.run(Math.min(sliceRuns, order.runs - campaign.runs));
}
Atomics.store(progress, 0, -1);
parentPort?.postMessage(campaign.report() satisfies FuzzThreadReport, []);
