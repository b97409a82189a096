import type { IncomingMessage } from "node:http";
import type { Context } from "hono";

/** The raw parts of a request that routing must not normalise: `..` and `%2F` belong to keys. */
export interface RequestFacts {
  readonly method: string;
  /** As it came, percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
  header(name: string): string | undefined;
  /** `undefined` without a socket: then the body comes from the web-standard request. */
  readonly incoming: IncomingMessage | undefined;
}

/** Reads them from the socket's request, or in tests without a socket from the web request. */
export function factsOf(context: Context): RequestFacts {
  const { incoming } = (context.env ?? {}) as { incoming?: IncomingMessage };
  const target = incoming?.url ?? targetOf(context.req.url);
  const mark = target.indexOf("?");
  return {
    method: context.req.method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    header: (name) => {
      if (incoming === undefined) return context.req.header(name);
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    incoming,
  };
}

function targetOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start);
}

/** Bytes of a percent-encoded path segment, or `undefined` when an escape is malformed. */
export function decodeSegment(segment: string): Uint8Array | undefined {
  if (!segment.includes("%")) return Buffer.from(segment, "latin1");
  const bytes = Buffer.allocUnsafe(segment.length);
  let length = 0;
  for (let at = 0; at < segment.length; at += 1) {
    if (segment[at] !== "%") {
      bytes[length++] = segment.charCodeAt(at);
      continue;
    }
    const escape = segment.slice(at + 1, at + 3);
    if (!/^[0-9a-f]{2}$/iu.test(escape)) return undefined;
    bytes[length++] = Number.parseInt(escape, 16);
    at += 2;
  }
  return bytes.subarray(0, length);
}
