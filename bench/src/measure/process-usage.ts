import { readFileSync, statSync } from "node:fs";

/** Clock ticks per second of /proc: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;
/** Of /proc/diskstats, whatever the device. */
const sectorBytes = 512;

/** CPU time of a process with all its threads, dead ones included, in microseconds. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the command in parentheses, and may itself hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks / ticksPerSecond) * 1e6;
}

/** What this process itself has used: the load generator's share. */
export function ownCpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}

/**
 * Bytes written to the device that holds `directory` since the machine started, whoever wrote them;
 * undefined if the kernel does not say. What it says of a process (/proc/PID/io) counts the whole
 * of a page-cache folio, up to 1 MiB, for every small write within it.
 */
export function deviceBytesWritten(directory: string): number | undefined {
  const { dev } = statSync(directory);
  const major = (dev >> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >> 12) & 0xf_ff00);
  for (const line of readFileSync("/proc/diskstats", "utf8").split("\n")) {
    const fields = line.trim().split(/\s+/u);
    if (Number(fields[0]) !== major || Number(fields[1]) !== minor) continue;
    return Number(fields[9]) * sectorBytes;
  }
  return undefined;
}

/** Bytes that this process has handed to write calls since it began: files, pipes, sockets. */
export function ownBytesWritten(): number {
  const line = /^wchar: (\d+)$/mu.exec(readFileSync("/proc/self/io", "utf8"));
  return Number(line?.[1] ?? 0);
}

/** Bytes that passed the loopback device since the machine started, headers included. */
export function loopbackBytes(): number {
  const device = /^\s*lo:\s*(\d+)/mu.exec(readFileSync("/proc/net/dev", "utf8"));
  return Number(device?.[1] ?? 0);
}
