import { errorTable } from "@coterie/core";
import { headers, parameters, responses, schemas } from "./components.ts";
import { operations } from "./operations.ts";

type Json = Readonly<Record<string, unknown>>;

/** The door in OpenAPI 3.1; a test holds it to the routes, and its statuses to real answers. */
export function openApiDocument(): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { path, method, ...operation } of operations) {
    const item = (paths[path] ??= { ...parametersOf(path) });
    item[method.toLowerCase()] = operation;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Coterie",
      version: "1",
      description:
        "A leaderless, durable, replicated key-value store. Concurrent writes are kept as " +
        "siblings until a client that has read them writes with their context.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [],
    tags: [
      { name: "keys", description: "Values under keys, their siblings and contexts." },
      { name: "cluster", description: "What an operator asks of a node." },
      { name: "probes", description: "What those ask who look after the process." },
    ],
    paths,
    components: {
      schemas: { ...schemas, ErrorCode: errorCodes() },
      parameters,
      headers,
      responses,
    },
  };
}

function errorCodes(): Json {
  return { type: "string", enum: Object.keys(errorTable) };
}

function parametersOf(path: string): Json {
  const names = [...path.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name);
  if (names.length === 0) return {};
  return { parameters: names.map((name) => ({ $ref: `#/components/parameters/${name}` })) };
}
