import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** Mounts a file system of so many MiB; `undefined`, said loudly, where this user may not. */
export function mountSmallDisk(
  directory: string,
  mebibytes: number,
): { readonly unmount: () => void } | undefined {
  mkdirSync(directory, { recursive: true });
  try {
    const options = ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", directory];
    execFileSync("mount", options, { stdio: "pipe" });
  } catch (error) {
    console.warn(`NOT TESTED: a full disk, for want of a small file system: ${String(error)}`);
    return undefined;
  }
  return { unmount: () => void execFileSync("umount", [directory]) };
}
