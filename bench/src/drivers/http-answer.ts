/** One complete answer, at the beginning of what was received. */
export interface HttpAnswer {
  readonly status: number;
  readonly head: string;
  /** Without the framing of chunks. */
  readonly bodyBytes: number;
  /** Where the body begins. */
  readonly bodyStart: number;
  /** Of the whole answer. */
  readonly length: number;
}

/** The first complete answer in `bytes`; undefined while there is more to come. */
export function parseAnswer(bytes: Buffer): HttpAnswer | undefined {
  const headerEnd = bytes.indexOf("\r\n\r\n");
  if (headerEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headerEnd);
  const status = Number(head.slice(9, 12));
  const bodyStart = headerEnd + 4;
  const whole = (bodyBytes: number, length: number): HttpAnswer => ({
    status,
    head,
    bodyBytes,
    bodyStart,
    length,
  });
  if (status === 204 || status === 304) return whole(0, bodyStart);
  const body = headerOf(head, "content-length");
  if (body !== undefined) {
    const length = bodyStart + Number(body);
    return bytes.length >= length ? whole(Number(body), length) : undefined;
  }
  if (headerOf(head, "transfer-encoding") !== "chunked") return whole(0, bodyStart);
  return parseChunks(bytes, bodyStart, whole);
}

function parseChunks(
  bytes: Buffer,
  bodyStart: number,
  whole: (bodyBytes: number, length: number) => HttpAnswer,
): HttpAnswer | undefined {
  let at = bodyStart;
  let bodyBytes = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (at > bytes.length) return undefined;
    if (size === 0) return whole(bodyBytes, at);
    bodyBytes += size;
  }
}

/** The value of a header, by its lower-case name. */
export function headerOf(head: string, name: string): string | undefined {
  const lower = head.toLowerCase();
  const at = lower.indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  const end = head.indexOf("\r\n", start);
  return head.slice(start, end < 0 ? head.length : end).trim();
}
