import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Bytes of the files in a directory, as far as they take space on the disk. */
export function diskBytes(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    // The system counts blocks of 512 bytes, whatever those of the file system.
    bytes += entry.isDirectory() ? diskBytes(path) : statSync(path).blocks * 512;
  }
  return bytes;
}
