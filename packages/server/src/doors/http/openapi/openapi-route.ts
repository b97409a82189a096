import { jsonResponse } from "../responses.ts";
import { openApiDocument } from "./document.ts";
import { operations } from "./operations.ts";

/** `GET /openapi.json` */
export function serveOpenApi(): Response {
  return jsonResponse(openApiDocument());
}

/** `GET /`: for who opens the door in a browser. */
export function serveIndex(): Response {
  const routes = operations.map(({ method, path, summary }) => `${method} ${path}: ${summary}`);
  return jsonResponse({ name: "coterie", openapi: "/openapi.json", routes });
}
