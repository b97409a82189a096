import { once } from "node:events";
import { CliFailure, exitCodes } from "./exit.ts";

/** The two streams of the command: data goes to `data`, everything else to `say`. */
export interface Terminal {
  /** Writes data to standard output, and waits while the reader is slower than we are. */
  data(bytes: Uint8Array | string): Promise<void>;
  /** Writes one line for people to standard error. */
  say(line: string): void;
  /** Replaces the current line of standard error; only where `isInteractive`. */
  update(line: string): void;
  /** Standard error is a terminal. */
  readonly isInteractive: boolean;
  /** Standard output is a terminal. */
  readonly isDataInteractive: boolean;
  /** Paints text for standard error, unless colours are off (NO_COLOR, or no terminal). */
  paint(style: Style, text: string): string;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

const styleCodes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const isInteractive = process.stderr.isTTY === true;
  const hasColor = isInteractive && (process.env["NO_COLOR"] ?? "") === "";
  return {
    isInteractive,
    isDataInteractive: process.stdout.isTTY === true,
    async data(bytes) {
      if (process.stdout.destroyed || process.stdout.errored) throw closedPipe();
      if (!process.stdout.write(bytes)) await once(process.stdout, "drain").catch(ignoreClosedPipe);
    },
    say(line) {
      process.stderr.write(`${line}\n`);
    },
    update(line) {
      process.stderr.write(`\r\u001B[2K${line}`);
    },
    paint(style, text) {
      if (!hasColor) return text;
      const [on, off] = styleCodes[style];
      return `\u001B[${on}m${text}\u001B[${off}m`;
    },
  };
}

function ignoreClosedPipe(): never {
  throw closedPipe();
}

/** Whoever read our output has gone, as in `coterie export | head`: nothing is left to say. */
function closedPipe(): CliFailure {
  return new CliFailure(exitCodes.failure, "standard output was closed");
}
