import type { NextRequest } from "./http-load.ts";

/** Keys of the benches: enough that no key is hot, few enough that gets find what puts wrote. */
export const keyCount = 10_000;
const valueBytes = 100;

/** Blind puts of 100 B to uniformly drawn keys. */
export function putRequests(): NextRequest {
  const value = Buffer.alloc(valueBytes, "v");
  let turn = 0;
  return () => {
    turn += 1;
    // A context-free put is concurrent with what is there; fresh keys keep siblings out of it.
    const head =
      `PUT /v1/buckets/default/keys/bench-${process.pid}-${turn} HTTP/1.1\r\nHost: localhost\r\n` +
      `Content-Type: application/octet-stream\r\nContent-Length: ${valueBytes}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head, "latin1"), value]);
  };
}

/** Gets of keys that {@link fillRequests} wrote. */
export function getRequests(): NextRequest {
  let turn = 0;
  return () => {
    turn += 7919;
    const head = `GET /v1/buckets/default/keys/fill-${turn % keyCount} HTTP/1.1\r\n`;
    return Buffer.from(`${head}Host: localhost\r\n\r\n`, "latin1");
  };
}

/** Writes the keys `fill-0`, `fill-1` and so on, 100 B each; no key twice. */
export function fillRequests(): NextRequest {
  const value = "f".repeat(valueBytes);
  let turn = 0;
  return () => {
    const head =
      `PUT /v1/buckets/default/keys/fill-${turn} HTTP/1.1\r\nHost: localhost\r\n` +
      `Content-Length: ${valueBytes}\r\n\r\n`;
    turn += 1;
    return Buffer.from(head + value, "latin1");
  };
}

/** How the door answers {@link doorRequests}. */
export const doorStatus = 404;

/**
 * The same put, for a bucket that does not exist: it passes the whole HTTP door, body and all, and
 * does no work behind it.
 */
export function doorRequests(): NextRequest {
  const head =
    `PUT /v1/buckets/absent/keys/bench-${process.pid} HTTP/1.1\r\nHost: localhost\r\n` +
    `Content-Type: application/octet-stream\r\nContent-Length: ${valueBytes}\r\n\r\n`;
  const request = Buffer.from(head + "v".repeat(valueBytes), "latin1");
  return () => request;
}
