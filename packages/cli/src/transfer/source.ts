import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { CliFailure, exitCodes } from "../exit.ts";
import { RecordSplitter } from "./record-splitter.ts";

/** What an import reads. */
export interface Source {
  /** `undefined` for standard input, which cannot be resumed. */
  readonly file: string | undefined;
  readonly bytesTotal: number | undefined;
  /** Changes whenever the file does. */
  readonly identity: string;
}

/** One line of an import file at most: 32 MiB of siblings in base64, and some more. */
export const RECORD_BYTES_MAX: number = 64 * 1024 * 1024;

/** Looks at the file, or at standard input for `-`. */
export async function openSource(name: string): Promise<Source> {
  if (name === "-") return { file: undefined, bytesTotal: undefined, identity: "" };
  try {
    const { size, mtimeMs } = await stat(name);
    return { file: name, bytesTotal: size, identity: `${size}:${mtimeMs}` };
  } catch (error) {
    throw new CliFailure(exitCodes.failure, `cannot import: ${(error as Error).message}`);
  }
}

/** The source's bytes from an offset on. */
export function streamOf({ file }: Source, offset: number): Readable {
  return file === undefined ? process.stdin : createReadStream(file, { start: offset });
}

/** The first record, which names the columns of a CSV or TSV file. */
export async function firstRecord(source: Source, isQuoted: boolean): Promise<Buffer | undefined> {
  const splitter = new RecordSplitter({
    isQuoted,
    bytesMax: RECORD_BYTES_MAX,
    startNumber: 0,
    startOffset: 0,
  });
  for await (const chunk of streamOf(source, 0)) {
    const [record] = splitter.feed(chunk as Buffer);
    if (record !== undefined) return record.bytes;
  }
  return splitter.finish()?.bytes;
}
