import type { Disk, DiskOutcome, File, Settle } from "@coterie/ports";

/** A file of the whole directory, under the name it has in the view. */
class FileInView implements File {
  readonly name: string;
  readonly whole: File;

  constructor(name: string, whole: File) {
    this.name = name;
    this.whole = whole;
  }
}

/**
 * The files of a directory whose names begin with a prefix, as a directory of their own: so one
 * node's directory holds several stores. It is locked, synced and filled as a whole; and whoever
 * else uses the directory must leave alone what begins with the prefix.
 */
export class PrefixedDisk implements Disk {
  readonly #disk: Disk;
  readonly #prefix: string;

  constructor(disk: Disk, prefix: string) {
    this.#disk = disk;
    this.#prefix = prefix;
  }

  lock(settle: Settle): void {
    this.#disk.lock(settle);
  }

  unlock(settle: Settle): void {
    this.#disk.unlock(settle);
  }

  list(settle: Settle<readonly string[]>): void {
    this.#disk.list((listed) => {
      settle(listed.ok ? { ok: true, value: this.#ownNames(listed.value) } : listed);
    });
  }

  open(name: string, mode: "existing" | "create", settle: Settle<File>): void {
    this.#disk.open(this.#prefix + name, mode, (opened: DiskOutcome<File>) => {
      settle(opened.ok ? { ok: true, value: new FileInView(name, opened.value) } : opened);
    });
  }

  size(file: File, settle: Settle<number>): void {
    this.#disk.size(wholeOf(file), settle);
  }

  read(file: File, position: number, length: number, settle: Settle<Uint8Array>): void {
    this.#disk.read(wholeOf(file), position, length, settle);
  }

  write(file: File, position: number, bytes: Uint8Array, settle: Settle): void {
    this.#disk.write(wholeOf(file), position, bytes, settle);
  }

  sync(file: File, settle: Settle): void {
    this.#disk.sync(wholeOf(file), settle);
  }

  truncate(file: File, size: number, settle: Settle): void {
    this.#disk.truncate(wholeOf(file), size, settle);
  }

  close(file: File, settle: Settle): void {
    this.#disk.close(wholeOf(file), settle);
  }

  rename(from: string, to: string, settle: Settle): void {
    this.#disk.rename(this.#prefix + from, this.#prefix + to, settle);
  }

  remove(name: string, settle: Settle): void {
    this.#disk.remove(this.#prefix + name, settle);
  }

  syncDirectory(settle: Settle): void {
    this.#disk.syncDirectory(settle);
  }

  free(settle: Settle<number>): void {
    this.#disk.free(settle);
  }

  #ownNames(names: readonly string[]): readonly string[] {
    return names
      .filter((name) => name.length > this.#prefix.length && name.startsWith(this.#prefix))
      .map((name) => name.slice(this.#prefix.length));
  }
}

function wholeOf(file: File): File {
  return (file as FileInView).whole;
}
