// A thread that runs the seeds it is sent, one at a time.
import { parentPort } from "node:worker_threads";
import { type SeedOptions, runSeed } from "./run-seed.ts";

parentPort?.on("message", ({ seed, ...options }: SeedOptions & { readonly seed: number }) => {
  void runSeed(seed, options).then((result) => parentPort?.postMessage(result, []));
});
