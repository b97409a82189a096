import type { Command } from "./command.ts";

/** A command that waits for EXEC. */
export interface QueuedCommand {
  /** It is run with calls of the door. */
  readonly command: Command<never>;
  readonly words: readonly Uint8Array[];
}

/** What a client has queued since MULTI. */
export class Transaction {
  readonly #bytesMax: number;
  readonly #commands: QueuedCommand[] = [];
  #bytes = 0;
  /** A command could not be queued: EXEC will refuse. */
  isBroken = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get commands(): readonly QueuedCommand[] {
    return this.#commands;
  }

  /** False if the queue is full. */
  add(command: Command<never>, words: readonly Uint8Array[]): boolean {
    let bytes = 0;
    for (const word of words) bytes += word.length + wordOverheadBytes;
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    this.#commands.push({ command, words });
    return true;
  }
}

/** What a word takes in memory beside its bytes, roughly. */
const wordOverheadBytes = 96;
