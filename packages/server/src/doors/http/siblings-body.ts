import { randomBytes } from "node:crypto";
import type { Sibling } from "@coterie/core";
import { dotText } from "../dot-text.ts";
import { isContentType } from "../request-checks.ts";
import { expiryText } from "./expiry-text.ts";

/** Siblings as `Accept: application/json` shows them. */
export function siblingsJson(
  context: string | undefined,
  siblings: readonly Sibling[],
): Readonly<Record<string, unknown>> {
  return {
    context: context ?? null,
    siblings: siblings.map((sibling) => ({
      value: Buffer.from(sibling.value).toString("base64"),
      contentType: contentTypeOf(sibling),
      dot: dotText(sibling),
      writtenAt: new Date(sibling.writtenAt.wallMs).toISOString(),
      expiresAt: expiryText(sibling) ?? null,
    })),
  };
}

/** Siblings as `multipart/mixed` (RFC 2046 section 5.1), one part each. */
export function siblingsMultipart(siblings: readonly Sibling[]): {
  readonly contentType: string;
  readonly body: Uint8Array;
} {
  // Drawn for this answer, so that no value can contain it on purpose.
  const boundary = `coterie-${randomBytes(16).toString("hex")}`;
  const parts: Uint8Array[] = [];
  for (const sibling of siblings) {
    const head =
      `--${boundary}\r\nContent-Type: ${contentTypeOf(sibling)}\r\n` +
      `Coterie-Dot: ${dotText(sibling)}\r\n${expiryLine(sibling)}` +
      `Content-Length: ${sibling.value.length}\r\n\r\n`;
    parts.push(Buffer.from(head, "latin1"), sibling.value, Buffer.from("\r\n"));
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { contentType: `multipart/mixed; boundary=${boundary}`, body: Buffer.concat(parts) };
}

function expiryLine(sibling: Sibling): string {
  const text = expiryText(sibling);
  return text === undefined ? "" : `Coterie-Expires-At: ${text}\r\n`;
}

/** As it was given, if HTTP can carry it: another door may have let more through. */
export function contentTypeOf({ contentType }: Sibling): string {
  return isContentType(contentType) ? contentType : "application/octet-stream";
}
