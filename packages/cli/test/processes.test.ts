import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { makeDirectory } from "@coterie/server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  checkForOne,
  checkForSeveral,
  makeDirectories,
  processCount,
} from "../src/processes/process-directories.ts";
import { restartDelay } from "../src/processes/restart-delay.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-several-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("the number of processes", () => {
  it("is that of processors in a new directory, and later what it was", () => {
    const fresh = join(directory, "new");
    expect(processCount(fresh, "auto")).toBe(availableParallelism());
    makeDirectories(
      ["p1", "p2", "p3"].map((name) => join(fresh, name)),
      makeDirectory,
    );
    expect(processCount(fresh, "auto")).toBe(3);
    expect(processCount(fresh, 5)).toBe(5);
  });

  it("leaves no node out", () => {
    mkdirSync(join(directory, "p7"));
    expect(() => processCount(directory, 6)).toThrow("up to p7");
    expect(() => checkForOne(directory)).toThrow("up to p7");
    expect(() => checkForSeveral(directory)).not.toThrow();
  });

  it("does not change in the directory of one node", () => {
    writeFileSync(join(directory, "identity"), "");
    expect(() => checkForSeveral(directory)).toThrow("is the directory of one node");
    expect(() => checkForOne(directory)).not.toThrow();
  });
});

describe("a process that ends", () => {
  it("waits longer each time, and as at first once it has run for a minute", () => {
    const delays: number[] = [];
    for (let at = 0; at < 8; at += 1) delays.push(restartDelay(delays.at(-1) ?? 0, 100));
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(restartDelay(30_000, 60_000)).toBe(1000);
  });
});
