import { readFile } from "node:fs/promises";

/**
 * Names the process that has this number now, apart from all that had it before: its start in clock
 * ticks, and the boot these count from. `undefined` when there is none, or only a zombie.
 * Where no /proc tells, or hides it, all that is known is that it runs.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  const [status, boot] = await Promise.all([
    readText(`/proc/${pid}/stat`),
    readText("/proc/sys/kernel/random/boot_id"),
  ]);
  if (status === undefined || boot === undefined) return isRunning(pid) ? unnamed : undefined;
  // The command's name, in parentheses, may itself contain spaces and parentheses. See proc(5):
  // after it the state is field 3 and the start time field 22.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  if (state === "Z" || state === "X") return undefined;
  return `${fields[19]}@${boot.trim()}`;
}

/** An identity that cannot be told from any other. */
export const unnamed = "unnamed";

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process: it runs, and we may not signal it.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
