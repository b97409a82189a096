import { readFileSync } from "node:fs";

const mebibyte = 1024 * 1024;

/** Resident memory of a process in MiB, now and at most since it started. */
export function residentMebibytes(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "mu").exec(status)?.[1]) * 1024) / mebibyte;
  return { now: read("VmRSS"), most: read("VmHWM") };
}
