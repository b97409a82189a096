import { type Sibling, base64url } from "@coterie/core";

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
      dot: dotOf(sibling),
      writtenAt: new Date(sibling.writtenAt.wallMs).toISOString(),
      expiresAt: null,
    })),
  };
}

/** Siblings as `multipart/mixed` (RFC 2046 section 5.1), one part each. */
export function siblingsMultipart(siblings: readonly Sibling[]): {
  readonly contentType: string;
  readonly body: Uint8Array;
} {
  // A boundary made of the dots: it differs per answer, and no value can know it beforehand.
  const dots = siblings.map(dotOf).join(",");
  const boundary = `coterie-${base64url(Buffer.from(dots)).slice(0, 48)}`;
  const parts: Uint8Array[] = [];
  for (const sibling of siblings) {
    const head =
      `--${boundary}\r\nContent-Type: ${contentTypeOf(sibling)}\r\n` +
      `Coterie-Dot: ${dotOf(sibling)}\r\nContent-Length: ${sibling.value.length}\r\n\r\n`;
    parts.push(Buffer.from(head, "latin1"), sibling.value, Buffer.from("\r\n"));
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { contentType: `multipart/mixed; boundary=${boundary}`, body: Buffer.concat(parts) };
}

export function contentTypeOf({ contentType }: Sibling): string {
  return contentType === "" ? "application/octet-stream" : contentType;
}

function dotOf({ dots }: Sibling): string {
  return dots.map(({ actor, counter }) => `${actor}:${counter}`).join("+");
}
