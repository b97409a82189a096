import { latin1 } from "@coterie/core";

/** Whether a line of words is a request of HTTP, or a header of one. */
export function wrongProtocolOf(words: readonly Uint8Array[]): "HTTP" | undefined {
  const [first] = words;
  const last = words.at(-1);
  if (first === undefined || last === undefined) return undefined;
  if (latin1(last, 0, Math.min(last.length, 7)) === "HTTP/1.") return "HTTP";
  // As in Redis: a page in a browser can be made to send any lines after these.
  const name = latin1(first, 0, Math.min(first.length, 8)).toLowerCase();
  return name === "post" || name === "host:" ? "HTTP" : undefined;
}
