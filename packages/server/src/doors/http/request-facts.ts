import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";

/** The raw parts of a request that routing must not normalise: `..` and `%2F` belong to keys. */
export interface RequestFacts {
  readonly method: string;
  /** As it came, percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
  header(name: string): string | undefined;
  /** Tells a client that asked first (`Expect: 100-continue`) to send its body. */
  continueBody(): void;
  /** Calls back when the answer was sent, or nobody takes it any more; at once without a socket. */
  onAnswered(then: () => void): void;
  /** `undefined` without a socket: then the body comes from the web-standard request. */
  readonly incoming: IncomingMessage | undefined;
}

interface NodeBindings {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/** Reads them from the socket's request, or in tests without a socket from the web request. */
export function factsOf(context: Context): RequestFacts {
  const { incoming, outgoing } = (context.env ?? {}) as NodeBindings;
  const target = targetOf(incoming?.url ?? context.req.url);
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
    continueBody: () => outgoing?.writeContinue(),
    onAnswered: (then) => {
      if (outgoing === undefined || outgoing.closed) then();
      else outgoing.once("close", then);
    },
    incoming,
  };
}

/** The path and query of a target in either form: `/path`, or `http://host/path` from a proxy. */
function targetOf(url: string): string {
  if (url.startsWith("/")) return url;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start);
}

const escape = /^[0-9a-f]{2}$/iu;

/** Bytes of a percent-encoded path segment, or `undefined` when an escape is malformed. */
export function decodeSegment(segment: string): Uint8Array | undefined {
  const bytes = new Uint8Array(segment.length);
  let length = 0;
  for (let at = 0; at < segment.length; at += 1) {
    const code = segment.charCodeAt(at);
    if (code !== 0x25) {
      bytes[length++] = code;
      continue;
    }
    const digits = segment.slice(at + 1, at + 3);
    if (!escape.test(digits)) return undefined;
    bytes[length++] = Number.parseInt(digits, 16);
    at += 2;
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}
