import type { RouteRequest } from "./route.ts";
import { jsonResponse } from "./responses.ts";

// What those ask who look after the process.

export function serveLiveness(): Response {
  return new Response("ok\n");
}

export function serveReadiness({ parts: { node } }: RouteRequest): Response {
  const missing = node.missing();
  return missing.length === 0
    ? jsonResponse({ ready: true, node: node.id })
    : jsonResponse({ ready: false, node: node.id, missing }, 503);
}

export async function serveMetrics({ parts }: RouteRequest): Promise<Response> {
  const { contentType, text } = await parts.metrics();
  return new Response(text, { headers: { "Content-Type": contentType } });
}
