import { readFileSync } from "node:fs";

/** What a process does, as far as this system tells. */
export type ProcessState = "running" | "paused" | "gone";

/** The state of a process that was started with `argument` among its arguments. */
export function processState(pid: number, argument: string): ProcessState {
  try {
    process.kill(pid, 0);
  } catch {
    return "gone";
  }
  if (process.platform !== "linux") return "running";
  try {
    // The pid of a process that is gone may belong to a stranger by now: look at its arguments.
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (!words.includes(argument)) return "gone";
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The field after the name, which is in parentheses and may itself contain some.
    const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
    if (state === "Z" || state === "X") return "gone";
    return state === "T" || state === "t" ? "paused" : "running";
  } catch {
    return "gone";
  }
}

/** The pid in a pid file, or `undefined` when there is none. */
export function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8").trim());
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
