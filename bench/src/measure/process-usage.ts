import { readFileSync } from "node:fs";

/** Clock ticks per second of /proc: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

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

/** Bytes that a process has had written to disks; 0 where the kernel does not tell. */
export function diskBytes(pid: number): number {
  try {
    const io = readFileSync(`/proc/${pid}/io`, "utf8");
    return Number(/^write_bytes: (\d+)/mu.exec(io)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Bytes that passed the loopback device since the machine started, headers included. */
export function loopbackBytes(): number {
  const device = /^\s*lo:\s*(\d+)/mu.exec(readFileSync("/proc/net/dev", "utf8"));
  return Number(device?.[1] ?? 0);
}
