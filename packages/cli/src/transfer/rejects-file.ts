import { closeSync, existsSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import type { Terminal } from "../terminal.ts";

const SAID_MAX = 10;
const LINE_FEED = Buffer.from("\n");

/**
 * Collects the lines that could not be imported, as they were, so that they can be corrected and
 * imported again. The reasons of the first few are said at once.
 */
export class RejectsFile {
  readonly #path: string | undefined;
  readonly #terminal: Terminal;
  #file: number | undefined;
  #bytes: number;
  #count: number;
  #header: Buffer | undefined;

  /** Keeps the first `bytes` bytes of an existing file, which an interrupted run wrote. */
  constructor(
    path: string | undefined,
    terminal: Terminal,
    resumed: { readonly rejectsBytes: number; readonly rejected: number },
  ) {
    this.#path = path;
    this.#terminal = terminal;
    this.#bytes = resumed.rejectsBytes;
    this.#count = resumed.rejected;
    // A file of an earlier, finished run says nothing about this one.
    if (path !== undefined && this.#bytes === 0 && existsSync(path)) rmSync(path);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** The first line of the imported file, where every such file must begin with it. */
  set header(header: Buffer) {
    this.#header = header;
  }

  add(number: number, line: Buffer | undefined, reason: string): void {
    this.#count += 1;
    if (this.#count <= SAID_MAX) this.#terminal.say(`line ${number}: ${reason}`);
    else if (this.#count === SAID_MAX + 1)
      this.#terminal.say("more lines are bad; no more is said");
    if (this.#path === undefined || line === undefined) return;
    if (this.#file === undefined) {
      this.#file = openSync(this.#path, this.#bytes === 0 ? "w" : "r+");
      ftruncateSync(this.#file, this.#bytes);
      if (this.#bytes === 0 && this.#header !== undefined) this.#append(this.#header);
    }
    this.#append(line);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #append(line: Buffer): void {
    const bytes = Buffer.concat([line, LINE_FEED]);
    writeSync(this.#file as number, bytes, 0, bytes.length, this.#bytes);
    this.#bytes += bytes.length;
  }
}
