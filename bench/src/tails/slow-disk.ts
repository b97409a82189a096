import { spawnSync } from "node:child_process";
import { join } from "node:path";

/**
 * Stands before the C library's own calls in one process, and has each sync take so much longer:
 * what a disk does that is worn, shared or throttled. Nothing else of the process is changed.
 */
const source = `
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_first(void) {
  const char *text = getenv("SLOW_DISK_SYNC_MS");
  long ms = text == NULL ? 0 : atol(text);
  struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
  nanosleep(&time, NULL);
}

int fdatasync(int file) {
  wait_first();
  return syscall(SYS_fdatasync, file);
}

int fsync(int file) {
  wait_first();
  return syscall(SYS_fsync, file);
}
`;

/**
 * Words to put before a program's own, which has each of its syncs take `syncMs` longer; or why
 * that cannot be.
 */
export function slowDisk(directory: string, syncMs: number): readonly string[] | string {
  const library = join(directory, "slow-disk.so");
  const words = ["-shared", "-fPIC", "-O2", "-x", "c", "-o", library, "-"];
  const { error, status, stderr } = spawnSync("gcc", words, { input: source, encoding: "utf8" });
  if (error !== undefined) return "gcc is missing (apt-get install gcc libc6-dev)";
  if (status !== 0) return `gcc: ${stderr.trim().split("\n")[0] ?? ""}`;
  return ["env", `LD_PRELOAD=${library}`, `SLOW_DISK_SYNC_MS=${syncMs}`];
}
