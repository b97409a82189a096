import type { NodeApi } from "@coterie/cluster";
import type { Context } from "hono";
import type { ByteBudget } from "../byte-budget.ts";
import type { RequestFacts } from "./request-facts.ts";

/** What all routes share. */
export interface DoorParts {
  readonly node: NodeApi;
  readonly valueBytesMax: number;
  /** Bytes of requests that are being read, all connections together. */
  readonly budget: ByteBudget;
  /** Bytes of answers that clients have not taken, all connections together. */
  readonly unread: ByteBudget;
  /** Counts a line of a batch that was answered. */
  readonly countLine: (status: number) => void;
  /** How long a line of a batch may take to arrive; a minute if left out. */
  readonly linePatienceMs?: number | undefined;
  /** Renders /metrics. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Told that somebody wants the node to drain and end. */
  readonly onDrainAsked: () => void;
  /** Told of an error that no route expects: a defect. */
  readonly onDefect: (error: Error) => void;
}

export interface RouteRequest {
  readonly parts: DoorParts;
  readonly context: Context;
  readonly facts: RequestFacts;
  /** What stands in the path where the route has names, in their order and as it came. */
  readonly values: readonly string[];
}

/** How one method of a route is answered. */
export interface RouteOperation {
  /** Its name in metrics. */
  readonly operation: string;
  readonly serve: (request: RouteRequest) => Response | Promise<Response>;
}

export interface Route {
  /** With names in braces, as OpenAPI writes it. */
  readonly path: string;
  readonly methods: ReadonlyMap<string, RouteOperation>;
}

interface MatchedRoute {
  readonly route: Route;
  readonly values: readonly string[];
}

/** Finds the route of a path; the first that fits. */
export class RouteTable {
  readonly #routes: readonly { route: Route; segments: readonly (string | undefined)[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({
      route,
      segments: route.path
        .split("/")
        .map((segment) => (segment.startsWith("{") ? undefined : segment)),
    }));
  }

  find(path: readonly string[]): MatchedRoute | undefined {
    for (const { route, segments } of this.#routes) {
      if (segments.length !== path.length) continue;
      if (!segments.every((segment, at) => segment === undefined || segment === path[at])) continue;
      return { route, values: path.filter((_, at) => segments[at] === undefined) };
    }
    return undefined;
  }
}
