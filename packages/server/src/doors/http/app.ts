import type { NodeApi } from "@coterie/cluster";
import { type Context, Hono } from "hono";
import { BodyBudget } from "./body.ts";
import {
  serveBucket,
  serveCluster,
  serveExplain,
  serveReplica,
  serveRing,
  serveScan,
} from "./cluster-routes.ts";
import { isAllowedHost } from "./host-header.ts";
import { type KeysRouteParts, serveKey } from "./keys-route.ts";
import { type RequestFacts, factsOf } from "./request-facts.ts";
import { failureResponse, jsonResponse, refuse } from "./responses.ts";

export interface HttpAppOptions {
  readonly valueBytesMax: number;
  /** Bytes of request bodies being read, all connections together. */
  readonly bodyBytesMax: number;
  /** Renders /metrics. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Told of every request that has ended. */
  readonly observe: (request: ObservedRequest) => void;
  /** Told of an error that no route expects: a defect. */
  readonly onDefect: (error: Error) => void;
  /**
   * Names that a Host header may have besides this machine's own. Pages of other sites reach a
   * door on loopback by a name that they made resolve to it; such a name is refused.
   */
  readonly allowedHosts: readonly string[] | "all";
}

export interface ObservedRequest {
  readonly operation: string;
  readonly status: number;
  readonly ms: number;
}

/** Routes planned and not built yet: they say so. */
const notYet = new Set(["/v1/batch", "/v1/members", "/openapi.json"]);

/** A request for anything but a key: its name in metrics, and how it is answered. */
interface Reading {
  readonly operation: string;
  serve(): Response | Promise<Response>;
}

/** The HTTP door (docs/guide/http.md) as a web-standard handler; it needs no socket. */
export function buildHttpApp(node: NodeApi, options: HttpAppOptions): Hono {
  const app = new Hono();
  const { valueBytesMax, allowedHosts } = options;
  const parts = { node, valueBytesMax, budget: new BodyBudget(options.bodyBytesMax) };
  app.all("*", async (context) => {
    const started = performance.now();
    const facts = factsOf(context);
    const observe = (operation: string, response: Response): Response => {
      const ms = performance.now() - started;
      options.observe({ operation, status: response.status, ms });
      return response;
    };
    if (!isAllowedHost(facts.header("host"), allowedHosts)) {
      const message = "the Host header names another machine; see the setting allowedHosts";
      return observe("other", refuse("bad-request", message));
    }
    const segments = facts.path.split("/");
    if (segments[2] === "buckets" && segments[4] === "keys" && segments.length > 5) {
      const response = await serveKeyAt(parts, context, facts, segments);
      return observe(operationOf(facts.method), response);
    }
    const reading = readingAt(node, options, facts, segments);
    if (reading === undefined) return observe("other", unknownRoute(facts.path));
    if (facts.method === "GET" || facts.method === "HEAD") {
      return observe(reading.operation, await reading.serve());
    }
    return observe("other", wrongMethod(facts.method));
  });
  app.onError((error) => {
    options.onDefect(error);
    return refuse("internal", "a defect; the node's log says more");
  });
  return app;
}

function serveKeyAt(
  parts: KeysRouteParts,
  context: Context,
  facts: RequestFacts,
  [, root, , bucket = "", , keySegment = "", ...more]: readonly string[],
): Response | Promise<Response> {
  if (root !== "v1") return unknownRoute(facts.path);
  if (more.length > 0) return refuse("bad-request", "a slash within a key is written %2F");
  return serveKey(parts, context, facts, { bucket, keySegment });
}

function readingAt(
  node: NodeApi,
  options: HttpAppOptions,
  facts: RequestFacts,
  [, root, first = "", second, third, ...more]: readonly string[],
): Reading | undefined {
  if (more.length > 0) return undefined;
  if (first === "") return probeAt(node, options, root ?? "");
  if (root !== "v1") return undefined;
  const reading = (serve: Reading["serve"], operation: string = first): Reading => ({
    operation,
    serve,
  });
  if (second === undefined) {
    if (first === "cluster") return reading(() => serveCluster(node));
    if (first === "ring") return reading(() => serveRing(node));
    return undefined;
  }
  if (first === "buckets") {
    if (third === undefined) return reading(() => serveBucket(node, second), "bucket");
    return third === "keys" ? reading(() => serveScan(node, facts, second), "scan") : undefined;
  }
  if (third === undefined) return undefined;
  if (first === "explain") return reading(() => serveExplain(node, second, third));
  if (first === "replica") return reading(() => serveReplica(node, second, third));
  return undefined;
}

/** What those ask who look after the process. */
function probeAt(node: NodeApi, options: HttpAppOptions, name: string): Reading | undefined {
  if (name === "livez") return { operation: name, serve: () => new Response("ok\n") };
  if (name === "readyz") return { operation: name, serve: () => serveReady(node) };
  if (name !== "metrics") return undefined;
  const serve = async (): Promise<Response> => {
    const { contentType, text } = await options.metrics();
    return new Response(text, { headers: { "Content-Type": contentType } });
  };
  return { operation: name, serve };
}

function serveReady(node: NodeApi): Response {
  const missing = node.missing();
  return missing.length === 0
    ? jsonResponse({ ready: true, node: node.id })
    : jsonResponse({ ready: false, node: node.id, missing }, 503);
}

function unknownRoute(path: string): Response {
  return notYet.has(path)
    ? refuse("not-yet", `${path} is not built yet`)
    : refuse("not-found", `there is no ${path}; see docs/guide/http.md`);
}

function wrongMethod(method: string): Response {
  return failureResponse({
    code: "bad-request",
    status: 405,
    message: `${method} is not defined here`,
    headers: { Allow: "GET, HEAD" },
  });
}

function operationOf(method: string): string {
  if (method === "GET" || method === "HEAD") return "get";
  if (method === "PUT") return "put";
  return method === "DELETE" ? "delete" : "other";
}
