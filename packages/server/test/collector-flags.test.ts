import { describe, expect, it } from "vitest";
import { growthPercent } from "../src/collector-flags.ts";

const mebibyte = 1024 * 1024;

describe("by how much the old generation may grow", () => {
  it("by 48 MiB, whatever is in use", () => {
    expect(growthPercent(30 * mebibyte)).toBe(160);
    expect(growthPercent(96 * mebibyte)).toBe(50);
  });

  it("as V8 likes, where that would be less than V8 allows", () => {
    expect(growthPercent(480 * mebibyte)).toBe(10);
    expect(growthPercent(600 * mebibyte)).toBe(0);
  });

  it("at all, where nothing is in use", () => {
    expect(growthPercent(0)).toBeGreaterThan(0);
  });
});
