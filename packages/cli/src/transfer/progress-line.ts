import { byteText, durationText } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** How far a long task is. */
export interface Advance {
  /** Things done by this run, as in "lines" or "keys". */
  readonly count: number;
  /** Bytes done, of `bytesTotal` where that is known. */
  readonly bytes: number;
  readonly bytesTotal: number | undefined;
  /** Bytes that were done before this run began. */
  readonly bytesBefore: number;
}

const REDRAW_MS = 200;
const PLAIN_LINE_MS = 10_000;

/** Shows progress while a task runs: a line that is redrawn, or one line every ten seconds. */
export function showProgress(
  terminal: Terminal,
  unit: string,
  advance: () => Advance,
): { readonly stop: () => void } {
  const startMs = performance.now();
  return showLine(terminal, () => progressText(unit, advance(), performance.now() - startMs));
}

/** Shows a line while a task runs, as {@link showProgress} does. */
export function showLine(terminal: Terminal, text: () => string): { readonly stop: () => void } {
  const timer = setInterval(
    () => {
      if (terminal.isInteractive) terminal.update(text());
      else terminal.say(text());
    },
    terminal.isInteractive ? REDRAW_MS : PLAIN_LINE_MS,
  );
  return {
    stop: () => {
      clearInterval(timer);
      if (terminal.isInteractive) terminal.update("");
    },
  };
}

/** One line: count, share, rate, and the time left where it can be told. */
export function progressText(
  unit: string,
  { count, bytes, bytesTotal, bytesBefore }: Advance,
  elapsedMs: number,
): string {
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const parts = [`${count} ${unit}`, `${Math.round(count / seconds)}/s`];
  if (bytesTotal !== undefined && bytesTotal > 0) {
    parts.unshift(`${Math.floor((bytes / bytesTotal) * 100)} %`);
    const bytesPerMs = (bytes - bytesBefore) / Math.max(elapsedMs, 1);
    if (bytesPerMs > 0) parts.push(`${durationText((bytesTotal - bytes) / bytesPerMs)} left`);
  } else {
    parts.push(byteText(bytes));
  }
  return parts.join("  ");
}
