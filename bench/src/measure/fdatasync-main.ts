// One of several processes that sync one disk at once: ready, then the rate it reached.
import { fdatasyncRate } from "./machine-limits.ts";

const [, , directory = ".", seconds = "1"] = process.argv;
process.on("message", () => {
  process.send?.(fdatasyncRate(directory, Number(seconds)), () => process.disconnect());
});
process.send?.("ready");
