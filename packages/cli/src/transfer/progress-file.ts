import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { nothingAcknowledged, type AcknowledgedState } from "./acknowledged.ts";

/** What an import has done so far, as kept beside the imported file. */
export interface ImportProgress {
  /** Tells this import from one of another file, cluster or way of reading; any text. */
  readonly identity: string;
  readonly acknowledged: AcknowledgedState;
  /** Length of the rejects file; what is beyond it is written again. */
  readonly rejectsBytes: number;
  readonly rejected: number;
}

/** Nothing imported yet. */
export function newProgress(identity: string): ImportProgress {
  return { identity, acknowledged: nothingAcknowledged, rejectsBytes: 0, rejected: 0 };
}

/** The progress in `file`; `other` when it is of another import, `none` when there is none. */
export function readProgress(file: string, identity: string): ImportProgress | "none" | "other" {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return "none";
  }
  const progress = parseProgress(text);
  return progress?.identity === identity ? progress : "other";
}

/** The progress in a file's text; `undefined` when the text is not whole, or of something else. */
export function parseProgress(text: string): ImportProgress | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { identity, acknowledged, rejectsBytes, rejected } = (parsed ?? {}) as Fields;
  const { number, offset, ranges } = (acknowledged ?? {}) as Fields;
  const isWhole =
    typeof identity === "string" &&
    [number, offset, rejectsBytes, rejected].every(isCount) &&
    Array.isArray(ranges) &&
    ranges.every(isRange);
  return isWhole ? (parsed as ImportProgress) : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRange(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2 || !value.every(isCount)) return false;
  const [first, last] = value as [number, number];
  return first <= last;
}

/**
 * Saves progress by atomic replacement of its file. It is not synced: after a power loss an older
 * state costs some lines sent again, which changes nothing. It is synchronous, some 50 µs: an
 * import that is killed has then saved the very state it had.
 */
export class ProgressSaver {
  readonly #file: string;
  #failure: Error | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Why the last save failed, if it did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  save(progress: ImportProgress): void {
    const temporary = `${this.#file}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, `${JSON.stringify(progress)}\n`);
      renameSync(temporary, this.#file);
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  /** The import is complete: nothing is left to resume. */
  remove(): void {
    rmSync(this.#file, { force: true });
  }
}
