import { type Json, count, list, object, text } from "./schema-parts.ts";

const rate = (description: string): Json => ({ type: "number", minimum: 0, description });
const ids = (description: string): Json => ({ ...list(text), description });

const hotTable = object({
  perSecond: rate("Requests per second, of all keys."),
  floorPerSecond: rate("No key that is left out is asked for more often."),
  keys: {
    ...list(
      object({
        bucket: text,
        key: { ...text, description: "In base64url." },
        perSecond: rate("Never less than what was counted."),
        errorPerSecond: rate("By so much that may be too high."),
      }),
    ),
    description: "The most asked for first.",
  },
});

/** What is said of the keys that are asked for most, by name. */
export const hotSchemas: Json = {
  HotTable: hotTable,
  HotKeys: object({
    node: text,
    halfLifeMs: { ...count, description: "After so many milliseconds a request counts half." },
    answered: ids("Whose clients' requests are in the tables."),
    silent: ids("Members that did not say what they were asked for."),
    reads: { $ref: "#/components/schemas/HotTable" },
    writes: { $ref: "#/components/schemas/HotTable" },
  }),
};
