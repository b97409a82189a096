import { readFileSync, readdirSync } from "node:fs";
import { version } from "../version.ts";
import type { EventLoopDelay } from "./event-loop-delay.ts";
import { type MetricReading, counter, gauge, labelled } from "./metric.ts";

/** What the process and its machine say of themselves. */
export function processReadings(eventLoop: EventLoopDelay): readonly MetricReading[] {
  // Registered in this order, and read in it: one reading serves both.
  let delay = { p99: 0, max: 0 };
  const startedAt = Date.now() / 1000 - process.uptime();
  const filesMax = openFilesMax();
  return [
    gauge("event_loop_delay_p99_seconds", "How late the event loop was, 99th percentile.", () => {
      delay = eventLoop.read();
      return delay.p99;
    }),
    gauge("event_loop_delay_max_seconds", "How late the event loop was at most.", () => delay.max),
    counter("process_cpu_seconds_total", "CPU time of the process, user and system.", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    gauge("process_resident_bytes", "Resident memory of the process.", () =>
      process.memoryUsage.rss(),
    ),
    gauge("process_heap_bytes", "Used memory of the JavaScript heap.", () => {
      return process.memoryUsage().heapUsed;
    }),
    gauge("process_buffer_bytes", "Memory of buffers, outside the heap.", () => {
      return process.memoryUsage().arrayBuffers;
    }),
    gauge("process_open_files", "Open files and sockets.", countOpenFiles),
    gauge("process_open_files_max", "How many there may be (ulimit -n).", () => filesMax),
    gauge("process_start_time_seconds", "When the process started, since 1970.", () => startedAt),
    gauge("wall_clock_seconds", "The machine's clock at the scrape, since 1970.", () => {
      return Date.now() / 1000;
    }),
    labelled(
      { name: "coterie_build_info", help: "1; the labels say what runs.", type: "gauge" },
      () => [{ labels: { version, node: process.versions.node }, value: 1 }],
    ),
  ];
}

/** Where the system has no /proc, there is no such metric. */
function countOpenFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}

function openFilesMax(): number | undefined {
  try {
    const [, soft] =
      /^Max open files +(\d+)/mu.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
