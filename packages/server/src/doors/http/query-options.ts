import { refuse } from "./responses.ts";

/** The options of a query in their order, values as they were sent; each may be given once. */
export function queryOptions(query: string): ReadonlyMap<string, string> | Response {
  const options = new Map<string, string>();
  for (const part of query === "" ? [] : query.split("&")) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    if (options.has(name)) return refuse("bad-request", `${name} was given twice`);
    options.set(name, equals < 0 ? "" : part.slice(equals + 1));
  }
  return options;
}
