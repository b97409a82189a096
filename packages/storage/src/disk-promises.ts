import type { Disk, DiskOutcome, File, Settle } from "@coterie/ports";

// The store's slow paths (opening, checkpoints, compaction, scrub) read best as stories; the hot
// path uses the Disk port's callbacks directly.

function once<Value>(start: (settle: Settle<Value>) => void): Promise<DiskOutcome<Value>> {
  return new Promise((resolve) => {
    start(resolve);
  });
}

export function list(disk: Disk): Promise<DiskOutcome<readonly string[]>> {
  return once((settle) => disk.list(settle));
}

export function open(
  disk: Disk,
  name: string,
  mode: "existing" | "create",
): Promise<DiskOutcome<File>> {
  return once((settle) => disk.open(name, mode, settle));
}

export function size(disk: Disk, file: File): Promise<DiskOutcome<number>> {
  return once((settle) => disk.size(file, settle));
}

export function read(
  disk: Disk,
  file: File,
  position: number,
  length: number,
): Promise<DiskOutcome<Uint8Array>> {
  return once((settle) => disk.read(file, position, length, settle));
}

export function write(
  disk: Disk,
  file: File,
  position: number,
  bytes: Uint8Array,
): Promise<DiskOutcome> {
  return once((settle) => disk.write(file, position, bytes, settle));
}

/** A sync that fails for want of space has failed all the same: what it covered may be lost. */
export async function sync(disk: Disk, file: File): Promise<DiskOutcome> {
  const synced = await once<void>((settle) => disk.sync(file, settle));
  if (synced.ok || synced.error !== "full") return synced;
  return { ok: false, error: "io", message: synced.message };
}

export function truncate(disk: Disk, file: File, length: number): Promise<DiskOutcome> {
  return once((settle) => disk.truncate(file, length, settle));
}

export function close(disk: Disk, file: File): Promise<DiskOutcome> {
  return once((settle) => disk.close(file, settle));
}

export function rename(disk: Disk, from: string, to: string): Promise<DiskOutcome> {
  return once((settle) => disk.rename(from, to, settle));
}

export function remove(disk: Disk, name: string): Promise<DiskOutcome> {
  return once((settle) => disk.remove(name, settle));
}

export function syncDirectory(disk: Disk): Promise<DiskOutcome> {
  return once((settle) => disk.syncDirectory(settle));
}

export function free(disk: Disk): Promise<DiskOutcome<number>> {
  return once((settle) => disk.free(settle));
}
