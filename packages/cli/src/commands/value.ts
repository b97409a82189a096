import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { CliFailure, exitCodes } from "../exit.ts";

/** A value given on the command line: the text itself, `@FILE`, or `-` for standard input. */
export async function valueFromArgument(
  argument: string,
): Promise<{ readonly value: Buffer; readonly contentType: string }> {
  if (argument === "-") return { value: await buffer(process.stdin), contentType: BYTES };
  if (!argument.startsWith("@")) return { value: Buffer.from(argument, "utf8"), contentType: TEXT };
  const file = argument.slice(1);
  try {
    return { value: await readFile(file), contentType: BYTES };
  } catch (error) {
    throw new CliFailure(
      exitCodes.failure,
      `cannot read the value: ${(error as Error).message}`,
      "a value that begins with @ names a file; give such a text through standard input with -",
    );
  }
}

const TEXT = "text/plain; charset=utf-8";
const BYTES = "application/octet-stream";
