// Loaded into a node's process (`node --expose-gc --import`): says over IPC how long its event loop
// was held up by work, and what memory it has. Processor time is counted, not time: a busy machine
// makes no stall, and a loop over a million frames does, whatever else runs.
import type { ProbeReading } from "./watched-node.ts";

const everyMs = 10;
let longestMs = 0;
let last = process.cpuUsage();

function look(): void {
  const { user, system } = process.cpuUsage(last);
  last = process.cpuUsage();
  longestMs = Math.max(longestMs, (user + system) / 1000);
}

setInterval(look, everyMs).unref();

process.on("message", (question) => {
  if (question !== "probe") return;
  look();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const reading: ProbeReading = { longestMs, liveBytes: heapUsed + external, rssBytes: rss };
  process.send?.(reading);
  longestMs = 0;
  last = process.cpuUsage();
});
process.channel?.unref();
