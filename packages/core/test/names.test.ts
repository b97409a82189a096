import { describe, expect, it } from "vitest";
import { isBucketName, parseActorId, parseNodeId, parseWriteId } from "../src/index.ts";

const hex = "0123456789abcdef";

describe("names and ids", () => {
  it.each([
    ["a bucket", isBucketName, ["default", "a", "a.b_c-9", "x".repeat(64)]],
    ["a node id", parseNodeId, ["n1", "db-7.eu_west", "x".repeat(64)]],
    ["an actor id", parseActorId, [hex, "0".repeat(16)]],
    ["a write id", parseWriteId, [hex + hex]],
  ] as const)("accepts %s", (_, accepts, texts) => {
    for (const text of texts) expect(accepts(text)).toBeTruthy();
  });

  it.each([
    ["a bucket", isBucketName, ["", "Default", "a/b", "a b", "é", "a\n", "x".repeat(65)]],
    ["a node id", parseNodeId, ["", "N1", "n1\n", "n1:7", "x".repeat(65)]],
    ["an actor id", parseActorId, ["", hex.toUpperCase(), `${hex}0`, hex.slice(1), `${hex}\n`]],
    ["a write id", parseWriteId, ["", hex, `${hex}${hex}\n`, (hex + hex).toUpperCase()]],
  ] as const)("refuses what is not %s", (_, accepts, texts) => {
    for (const text of texts) expect(accepts(text)).toBeFalsy();
  });
});
