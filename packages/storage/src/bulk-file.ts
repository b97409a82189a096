import type { Disk, DiskOutcome, File } from "@coterie/ports";
import * as io from "./disk-promises.ts";

/**
 * Bytes after which what was written is synced. The disk gets little to do at a time, and the log's
 * syncs, which clients wait for, never stand behind a whole file (as RocksDB's `bytes_per_sync`).
 */
const bytesPerSyncUsual = 1024 * 1024;

/** A large file that is written to its end while clients wait for other ones. */
export class BulkFile {
  readonly #disk: Disk;
  readonly #file: File;
  readonly #bytesPerSync: number;
  #unsynced = 0;

  constructor(disk: Disk, file: File, bytesPerSync: number = bytesPerSyncUsual) {
    this.#disk = disk;
    this.#file = file;
    this.#bytesPerSync = bytesPerSync;
  }

  async write(position: number, bytes: Uint8Array): Promise<DiskOutcome> {
    const written = await io.write(this.#disk, this.#file, position, bytes);
    this.#unsynced += bytes.length;
    return written.ok && this.#unsynced >= this.#bytesPerSync ? this.sync() : written;
  }

  /** All that was written is durable. */
  sync(): Promise<DiskOutcome> {
    this.#unsynced = 0;
    return io.sync(this.#disk, this.#file);
  }
}
