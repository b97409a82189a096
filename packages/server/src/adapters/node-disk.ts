import * as fs from "node:fs";
import { join } from "node:path";
import { invariant } from "@coterie/core";
import type { Disk, DiskError, DiskFailure, DiskOutcome, File, Settle } from "@coterie/ports";
import { DirectoryLock } from "./directory-lock.ts";

interface NodeFile extends File {
  readonly descriptor: number;
  isOpen: boolean;
}

type SystemError = NodeJS.ErrnoException;

/**
 * Writes up to this size are made within the turn: they go to the system's cache, a matter of
 * microseconds, where a thread that does it costs two switches. Only the sync waits for the disk.
 */
const inlineBytesMax = 64 * 1024;

/** Readable by this user only: it holds everybody's data. */
const fileMode = 0o600;

/** A directory of the file system. It must exist. */
export class NodeDisk implements Disk {
  readonly #directory: string;
  readonly #lock: DirectoryLock;

  constructor(directory: string) {
    this.#directory = directory;
    this.#lock = new DirectoryLock(directory);
  }

  lock(settle: Settle): void {
    this.#lock.take().then(
      (holder) =>
        holder === undefined
          ? settle(done)
          : settle({ ok: false, error: "locked", message: `held by ${holder}` }),
      (error: SystemError) => settle(failureOf(error)),
    );
  }

  unlock(settle: Settle): void {
    this.#lock.release().then(
      () => settle(done),
      (error: SystemError) => settle(failureOf(error)),
    );
  }

  list(settle: Settle<readonly string[]>): void {
    fs.readdir(this.#directory, { withFileTypes: true }, (error, entries) => {
      if (error !== null) return settle(failureOf(error));
      const names = entries.filter((entry) => entry.isFile() && isListed(entry.name));
      // Names are ASCII: the order of UTF-16 units is the order of bytes.
      settle({ ok: true, value: names.map((entry) => entry.name).toSorted() });
    });
  }

  open(name: string, mode: "existing" | "create", settle: Settle<File>): void {
    fs.open(this.#path(name), mode === "create" ? "wx+" : "r+", fileMode, (error, descriptor) => {
      if (error !== null) return settle(failureOf(error));
      const file: NodeFile = { name, descriptor, isOpen: true };
      settle({ ok: true, value: file });
    });
  }

  size(file: File, settle: Settle<number>): void {
    fs.fstat(opened(file), (error, status) =>
      settle(error === null ? { ok: true, value: status.size } : failureOf(error)),
    );
  }

  read(file: File, position: number, length: number, settle: Settle<Uint8Array>): void {
    const descriptor = opened(file);
    // Not a Buffer for the caller: its slice would be a view. Unfilled, since it is read into.
    const unfilled = Buffer.allocUnsafe(length);
    const bytes = new Uint8Array(unfilled.buffer, unfilled.byteOffset, length);
    const readFrom = (done: number): void => {
      fs.read(descriptor, bytes, done, length - done, position + done, (error, count) => {
        if (error !== null) return settle(failureOf(error));
        const total = done + count;
        if (count > 0 && total < length) readFrom(total);
        else settle({ ok: true, value: total === length ? bytes : bytes.subarray(0, total) });
      });
    };
    readFrom(0);
  }

  write(file: File, position: number, bytes: Uint8Array, settle: Settle): void {
    const descriptor = opened(file);
    const { length } = bytes;
    if (length <= inlineBytesMax) {
      process.nextTick(settle, writeInline(descriptor, position, bytes));
      return;
    }
    const writeFrom = (written: number): void => {
      const left = length - written;
      fs.write(descriptor, bytes, written, left, position + written, (error, count) => {
        if (error !== null) return settle(failureOf(error));
        // The system may take a part only, as before it reports a full disk.
        if (count > 0 && count < left) writeFrom(written + count);
        else if (count === left) settle(done);
        else settle({ ok: false, error: "io", message: "the system wrote nothing" });
      });
    };
    writeFrom(0);
  }

  sync(file: File, settle: Settle): void {
    fs.fdatasync(opened(file), settled(settle));
  }

  truncate(file: File, size: number, settle: Settle): void {
    fs.ftruncate(opened(file), size, settled(settle));
  }

  close(file: File, settle: Settle): void {
    const descriptor = opened(file);
    (file as NodeFile).isOpen = false;
    fs.close(descriptor, settled(settle));
  }

  rename(from: string, to: string, settle: Settle): void {
    fs.rename(this.#path(from), this.#path(to), settled(settle));
  }

  remove(name: string, settle: Settle): void {
    fs.unlink(this.#path(name), settled(settle));
  }

  syncDirectory(settle: Settle): void {
    fs.open(this.#directory, "r", (openError, descriptor) => {
      if (openError !== null) return settle(failureOf(openError));
      fs.fsync(descriptor, (syncError) => {
        fs.close(descriptor, (closeError) => {
          const error = syncError ?? closeError ?? null;
          settle(error === null ? done : failureOf(error));
        });
      });
    });
  }

  free(settle: Settle<number>): void {
    fs.statfs(this.#directory, (error, status) =>
      settle(error === null ? { ok: true, value: status.bavail * status.bsize } : failureOf(error)),
    );
  }

  #path(name: string): string {
    invariant(isListed(name), "a file's name is made of [a-z0-9._-] and is not the lock's");
    return join(this.#directory, name);
  }
}

const done = { ok: true, value: undefined } as const;

function writeInline(descriptor: number, position: number, bytes: Uint8Array): DiskOutcome {
  let written = 0;
  try {
    while (written < bytes.length) {
      const left = bytes.length - written;
      const count = fs.writeSync(descriptor, bytes, written, left, position + written);
      if (count === 0) return { ok: false, error: "io", message: "the system wrote nothing" };
      written += count;
    }
    return done;
  } catch (error) {
    return failureOf(error as SystemError);
  }
}

function isListed(name: string): boolean {
  return (
    /^[a-z0-9._-]+$/u.test(name) &&
    name !== "." &&
    name !== ".." &&
    name !== "lock" &&
    !name.startsWith("lock.")
  );
}

function opened(file: File): number {
  const open = file as NodeFile;
  // A closed descriptor's number may by now be another file's.
  invariant(open.isOpen, "a file is used only while it is open");
  return open.descriptor;
}

function settled(settle: Settle): (error: SystemError | null) => void {
  return (error) => settle(error === null ? done : failureOf(error));
}

function failureOf(error: SystemError): DiskFailure {
  return { ok: false, error: kindOf(error.code), message: error.message };
}

function kindOf(code: string | undefined): DiskError {
  if (code === "ENOENT") return "missing";
  if (code === "ENOSPC" || code === "EDQUOT") return "full";
  return "io";
}
