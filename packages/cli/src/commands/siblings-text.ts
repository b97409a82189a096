import type { KeyOptions } from "../connect.ts";
import type { KeyState, SiblingValue } from "../http/bucket-client.ts";
import { shellQuote, textOf } from "../http/keys.ts";
import { byteText, table } from "../table.ts";

const PREVIEW_CHARACTERS = 48;

/** Siblings as a table, numbered as `coterie resolve --pick` counts them. */
export function describeSiblings(siblings: readonly SiblingValue[]): string {
  const someExpire = siblings.some(({ expiresAt }) => expiresAt !== undefined);
  return table(
    ["#", "WRITTEN", ...(someExpire ? ["EXPIRES"] : []), "SIZE", "TYPE", "VALUE"],
    siblings.map(({ value, contentType, writtenAt, expiresAt = "never" }, index) => [
      index + 1,
      writtenAt,
      ...(someExpire ? [expiresAt] : []),
      byteText(value.length),
      contentType,
      preview(value),
    ]),
  );
}

/** The beginning of a value on one line; bytes that are no text are shown in hex. */
function preview(value: Buffer): string {
  // A cut inside a character must not turn text into hex: up to three bytes may be missing.
  const start = value.subarray(0, PREVIEW_CHARACTERS * 4);
  let text: string | undefined;
  for (let cut = 0; cut < 4 && text === undefined; cut += 1) {
    text = textOf(start.subarray(0, start.length - cut));
    if (start.length === value.length) break;
  }
  if (text === undefined) return `0x${value.subarray(0, 16).toString("hex")}…`;
  const line = text.replaceAll(/\p{Cc}+/gu, " ");
  return line.length > PREVIEW_CHARACTERS ? `${line.slice(0, PREVIEW_CHARACTERS)}…` : line;
}

/** The line that makes one of several siblings the value. */
export function resolveHint(keyText: string, options: KeyOptions): string {
  const words = ["coterie", "resolve", shellQuote(keyText), "--pick", "1"];
  if (options.bucket !== "default") words.push("--bucket", options.bucket);
  if (options.key64 === true) words.push("--key64");
  for (const node of options.node ?? []) words.push("--node", shellQuote(node));
  return `  try: ${words.join(" ")}     (or a merged VALUE in place of --pick 1)`;
}

/** A key's whole state as one line of JSON, bytes in base64. */
export function keyStateJson(key: Uint8Array, { context, siblings }: KeyState): string {
  const state = {
    key: Buffer.from(key).toString("base64url"),
    context: context ?? null,
    siblings: siblings.map(({ value, contentType, dot, writtenAt, expiresAt }) => ({
      value: value.toString("base64"),
      contentType,
      dot,
      writtenAt,
      expiresAt: expiresAt ?? null,
    })),
  };
  return `${JSON.stringify(state)}\n`;
}
