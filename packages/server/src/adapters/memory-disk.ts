import { freemem } from "node:os";
import { invariant } from "@coterie/core";
import type { Disk, DiskError, DiskOutcome, File, Settle } from "@coterie/ports";

interface Content {
  /** Zeros from `size` on. */
  buffer: Uint8Array;
  size: number;
}

interface MemoryFile extends File {
  readonly content: Content;
  isOpen: boolean;
}

/** What several disks of one process may share, as processes share a directory. */
export class MemoryDirectory {
  readonly contents: Map<string, Content> = new Map();
  holder: Disk | undefined;
}

/** A disk in memory, for nodes that need not outlive their process. Nothing is ever durable. */
export class MemoryDisk implements Disk {
  readonly #directory: MemoryDirectory;
  #ready: (() => void)[] = [];

  constructor(directory: MemoryDirectory = new MemoryDirectory()) {
    this.#directory = directory;
  }

  lock(settle: Settle): void {
    this.#submit(settle, () => {
      if (this.#directory.holder !== undefined) {
        return failure("locked", `held by process ${process.pid}`);
      }
      this.#directory.holder = this;
      return done;
    });
  }

  unlock(settle: Settle): void {
    this.#submit(settle, () => {
      if (this.#directory.holder === this) this.#directory.holder = undefined;
      return done;
    });
  }

  list(settle: Settle<readonly string[]>): void {
    this.#submit(settle, () => success([...this.#directory.contents.keys()].toSorted()));
  }

  open(name: string, mode: "existing" | "create", settle: Settle<File>): void {
    this.#submit(settle, () => {
      const { contents } = this.#directory;
      const existing = contents.get(name);
      if (mode === "existing" && existing === undefined) return failure("missing", name);
      if (mode === "create" && existing !== undefined) return failure("io", `${name} exists`);
      const content = existing ?? { buffer: new Uint8Array(0), size: 0 };
      contents.set(name, content);
      const file: MemoryFile = { name, content, isOpen: true };
      return success<File>(file);
    });
  }

  size(file: File, settle: Settle<number>): void {
    const { content } = opened(file);
    this.#submit(settle, () => success(content.size));
  }

  read(file: File, position: number, length: number, settle: Settle<Uint8Array>): void {
    const { content } = opened(file);
    this.#submit(settle, () =>
      success(content.buffer.slice(position, Math.min(content.size, position + length))),
    );
  }

  write(file: File, position: number, bytes: Uint8Array, settle: Settle): void {
    const { content } = opened(file);
    this.#submit(settle, () => {
      if (bytes.length === 0) return done;
      grow(content, position + bytes.length);
      content.buffer.set(bytes, position);
      return done;
    });
  }

  sync(file: File, settle: Settle): void {
    opened(file);
    this.#submit(settle, () => done);
  }

  truncate(file: File, size: number, settle: Settle): void {
    const { content } = opened(file);
    this.#submit(settle, () => {
      if (size > content.size) grow(content, size);
      else content.buffer.fill(0, size, content.size);
      content.size = size;
      return done;
    });
  }

  close(file: File, settle: Settle): void {
    opened(file).isOpen = false;
    this.#submit(settle, () => done);
  }

  rename(from: string, to: string, settle: Settle): void {
    this.#submit(settle, () => {
      const { contents } = this.#directory;
      const content = contents.get(from);
      if (content === undefined) return failure("missing", from);
      contents.delete(from);
      contents.set(to, content);
      return done;
    });
  }

  remove(name: string, settle: Settle): void {
    this.#submit(settle, () =>
      this.#directory.contents.delete(name) ? done : failure("missing", name),
    );
  }

  syncDirectory(settle: Settle): void {
    this.#submit(settle, () => done);
  }

  free(settle: Settle<number>): void {
    this.#submit(settle, () => success(freemem()));
  }

  /** All operations of a turn are done at its end, in order: one wake-up for all of them. */
  #submit<Value>(settle: Settle<Value>, perform: () => DiskOutcome<Value>): void {
    if (this.#ready.push(() => settle(perform())) > 1) return;
    setImmediate(() => {
      const ready = this.#ready;
      this.#ready = [];
      for (const each of ready) each();
    });
  }
}

const done: DiskOutcome = { ok: true, value: undefined };

function success<Value>(value: Value): DiskOutcome<Value> {
  return { ok: true, value };
}

function failure(error: DiskError, message: string): DiskOutcome<never> {
  return { ok: false, error, message };
}

function opened(file: File): MemoryFile {
  const open = file as MemoryFile;
  invariant(open.isOpen, "a file is used only while it is open");
  return open;
}

function grow(content: Content, size: number): void {
  if (size > content.buffer.length) {
    const grown = new Uint8Array(Math.max(size, content.buffer.length * 2));
    grown.set(content.buffer);
    content.buffer = grown;
  }
  content.size = Math.max(content.size, size);
}
