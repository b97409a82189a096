import { expect, it } from "vitest";
import { checkpointDueBytes } from "../src/maintenance/checkpoint-due.ts";

const mebibyte = 1024 * 1024;

it.each([
  ["a new store", 0, 16 * mebibyte],
  ["a million keys", 41 * 1_000_000, 16 * mebibyte],
  ["ten million keys", 400 * mebibyte, 50 * mebibyte],
])("%s is checkpointed after so much of the log", (_, indexBytes, logBytes) => {
  expect(checkpointDueBytes(indexBytes)).toBe(logBytes);
});
