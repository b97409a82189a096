import type { NodeApi } from "@coterie/cluster";
import { Hono } from "hono";
import { isAllowedHost } from "./host-header.ts";
import type { HttpStatistics } from "./http-statistics.ts";
import { factsOf } from "./request-facts.ts";
import { failureResponse, refuse } from "./responses.ts";
import { type DoorParts, type Route, RouteTable } from "./route.ts";
import { routes } from "./routes.ts";

export interface HttpAppOptions {
  readonly valueBytesMax: number;
  /** Counts, and bounds what connections hold together. */
  readonly statistics: HttpStatistics;
  /** How long a line of a batch may take to arrive; a minute if left out. */
  readonly linePatienceMs?: number;
  /** Renders /metrics. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Told of every request that has ended. */
  readonly observe: (request: ObservedRequest) => void;
  /** Told that somebody wants the node to drain and end; the answer is on its way then. */
  readonly onDrainAsked: () => void;
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

/** The HTTP door (docs/guide/http.md) as a web-standard handler; it needs no socket. */
export function buildHttpApp(node: NodeApi, options: HttpAppOptions): Hono {
  const app = new Hono();
  const { valueBytesMax, statistics, linePatienceMs, metrics, onDefect, allowedHosts } = options;
  const { onDrainAsked } = options;
  const parts: DoorParts = {
    node,
    valueBytesMax,
    budget: statistics.bodies,
    unread: statistics.unread,
    countLine: (status) => statistics.countLine(status),
    linePatienceMs,
    metrics,
    onDrainAsked,
    onDefect,
  };
  const defect = (error: Error): Response => {
    onDefect(error);
    return refuse("internal", "a defect; the node's log says more");
  };
  const table = new RouteTable(routes);
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
    const matched = table.find(segments);
    if (matched === undefined) return observe("other", unknownRoute(facts.path, segments));
    const { route, values } = matched;
    const found = route.methods.get(facts.method);
    if (found === undefined) return observe("other", wrongMethod(facts.method, route));
    let response: Response;
    try {
      response = await found.serve({ parts, context, facts, values });
    } catch (error) {
      response = defect(error as Error);
    }
    return observe(found.operation, response);
  });
  app.onError(defect);
  return app;
}

function unknownRoute(path: string, segments: readonly string[]): Response {
  const [, version, collection, , keys] = segments;
  if (version === "v1" && collection === "buckets" && keys === "keys") {
    return refuse("bad-request", "a slash within a key is written %2F");
  }
  return failureResponse({
    code: "not-found",
    message: `there is no ${path}`,
    hint: "GET / lists the routes, GET /openapi.json describes them",
    outcome: "refused",
  });
}

function wrongMethod(method: string, { methods }: Route): Response {
  const allowed = [...methods.keys()].join(", ");
  return failureResponse({
    code: "bad-request",
    status: 405,
    message: `${method} is not defined here: ${allowed}`,
    headers: { Allow: allowed },
  });
}
