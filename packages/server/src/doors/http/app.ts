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
import { serveKey } from "./keys-route.ts";
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
const notYet = new Set(["/v1/batch", "/v1/members", "/openapi.json", "/v1/hot"]);

/** The HTTP door (docs/guide/http.md) as a web-standard handler; it needs no socket. */
export function buildHttpApp(node: NodeApi, options: HttpAppOptions): Hono {
  const app = new Hono();
  const budget = new BodyBudget(options.bodyBytesMax);
  const parts = { node, budget, valueBytesMax: options.valueBytesMax };
  const route = async (
    context: Context,
    facts: RequestFacts,
  ): Promise<{ readonly operation: string; readonly response: Response }> => {
    const [, root, first, second, third, ...more] = facts.path.split("/");
    const named = (operation: string, response: Response): RoutedResponse => ({
      operation,
      response,
    });
    if (root === "v1" && first === "buckets" && third === "keys" && more.length === 1) {
      const place = { bucket: second ?? "", keySegment: more[0] ?? "" };
      const operation = operationOf(facts.method);
      return named(operation, await serveKey(parts, context, facts, place));
    }
    const answer = await serveOther(node, options, facts);
    return named(operationOfPath(facts.path), answer);
  };
  app.all("*", async (context) => {
    const started = performance.now();
    const facts = factsOf(context);
    if (!isAllowedHost(facts.header("host"), options.allowedHosts)) {
      return refuse("bad-request", "the Host header names another machine; see allowedHosts");
    }
    const { operation, response } = await route(context, facts);
    const ms = performance.now() - started;
    options.observe({ operation, status: response.status, ms });
    return response;
  });
  app.onError((error) => {
    options.onDefect(error);
    return refuse("internal", "a defect; the node's log says more");
  });
  return app;
}

interface RoutedResponse {
  readonly operation: string;
  readonly response: Response;
}

async function serveOther(
  node: NodeApi,
  options: HttpAppOptions,
  facts: RequestFacts,
): Promise<Response> {
  const { path } = facts;
  if (notYet.has(path)) return refuse("not-yet", `${path} is not built yet`);
  const served = await serveRead(node, options, facts);
  if (served === undefined)
    return refuse("not-found", `there is no ${path}; see docs/guide/http.md`);
  if (facts.method === "GET" || facts.method === "HEAD") return served;
  return failureResponse({
    code: "bad-request",
    status: 405,
    message: `${facts.method} is not defined here`,
    headers: { Allow: "GET, HEAD" },
  });
}

async function serveRead(
  node: NodeApi,
  options: HttpAppOptions,
  facts: RequestFacts,
): Promise<Response | undefined> {
  const [, root, first, second, third, ...more] = facts.path.split("/");
  if (second === undefined) {
    if (root === "livez") return new Response("ok\n");
    if (root === "readyz") return serveReady(node);
    if (root === "metrics") {
      const { contentType, text } = await options.metrics();
      return new Response(text, { headers: { "Content-Type": contentType } });
    }
    if (root === "v1" && first === "cluster") return serveCluster(node);
    if (root === "v1" && first === "ring") return serveRing(node);
    return undefined;
  }
  if (root !== "v1") return undefined;
  if (first === "buckets") {
    if (third === undefined) return serveBucket(node, second);
    if (third === "keys" && more.length === 0) return serveScan(node, facts, second);
    return undefined;
  }
  if (third === undefined || more.length > 0) return undefined;
  if (first === "explain") return serveExplain(node, second, third);
  if (first === "replica") return serveReplica(node, second, third);
  return undefined;
}

function serveReady(node: NodeApi): Response {
  const missing = node.missing();
  return missing.length === 0
    ? jsonResponse({ ready: true, node: node.id })
    : jsonResponse({ ready: false, node: node.id, missing }, 503);
}

function operationOf(method: string): string {
  if (method === "GET" || method === "HEAD") return "get";
  if (method === "PUT") return "put";
  return method === "DELETE" ? "delete" : "other";
}

function operationOfPath(path: string): string {
  const [, root, first] = path.split("/");
  const names = ["livez", "readyz", "metrics", "cluster", "ring", "explain", "replica"];
  const name = root === "v1" ? first : root;
  if (name === "buckets") return "scan";
  return name !== undefined && names.includes(name) ? name : "other";
}
