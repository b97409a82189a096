import type { Socket } from "node:net";

/** What HTTP calls it, by the parser's or the server's code. */
const statuses: ReadonlyMap<string, readonly [number, string]> = new Map([
  ["HPE_HEADER_OVERFLOW", [431, "Request Header Fields Too Large"]],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", [413, "Payload Too Large"]],
  ["ERR_HTTP_REQUEST_TIMEOUT", [408, "Request Timeout"]],
  ["CONNECT", [405, "Method Not Allowed"]],
]);

/**
 * Answers what is no HTTP request, or never became a whole one, and closes the connection: nobody
 * knows where the next request would begin.
 */
export function answerBrokenRequest(
  error: NodeJS.ErrnoException,
  socket: Socket,
  mayAnswer: boolean,
): void {
  const isTimeout = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  if (!socket.writable || !mayAnswer || error.code === "ECONNRESET") {
    socket.destroy(error);
    return;
  }
  const [status, reason] = statuses.get(error.code ?? "") ?? [400, "Bad Request"];
  const body = `${JSON.stringify({
    code: "bad-request",
    message: `bad-request: ${isTimeout ? "the request did not arrive in time" : error.message}`,
    hint: "send a well-formed HTTP/1.1 request with at most 32 KiB of headers",
    retryable: false,
    outcome: "refused",
  })}\n`;
  socket.write(
    `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Coterie-Outcome: refused\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  socket.destroySoon();
}
