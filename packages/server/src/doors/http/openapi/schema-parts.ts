/** A schema, or a part of one. */
export type Json = Readonly<Record<string, unknown>>;

export const text: Json = { type: "string" };
export const count: Json = { type: "integer", minimum: 0 };
/** How a member is, as far as a node knows. */
export const memberState: Json = { enum: ["alive", "unknown", "suspect", "dead", "left"] };

export function list(items: Json): Json {
  return { type: "array", items };
}

/** All properties are required, unless it is said which are. */
export function object(
  properties: Json,
  required: readonly string[] = Object.keys(properties),
): Json {
  return { type: "object", properties, required };
}
