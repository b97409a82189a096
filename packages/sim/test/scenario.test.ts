import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { runScenario } from "../src/index.ts";
import { drain, fastTurns } from "./drain.ts";

const turns = fastTurns();
const folder = new URL("../testdata/", import.meta.url);
const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".txt"))
  .toSorted();

/** Scripts say from now on what they said now; whoever sets it reviews the difference. */
const isRewriting = process.env["REWRITE_SCENARIOS"] === "1";

describe("scenarios", () => {
  it.each(names)("%s", async (name) => {
    const file = new URL(name, folder);
    const script = readFileSync(file, "utf8");
    const told = await runScenario(script, drain, turns);
    if (isRewriting && told !== script) writeFileSync(file, told);
    else expect(told).toBe(script);
  });
});

describe("a script", () => {
  it("says what it has to say when the expected output is wrong", async () => {
    const told = await runScenario("nodes 1\nput n1 k v\n  a wrong line\nget n1 k\n", drain);
    expect(told).toBe("nodes 1\nput n1 k v\n  ok, 1 value, a context\nget n1 k\n  v\n");
  });

  it.each([
    ["get n1 k", "line 1: a script begins with nodes"],
    ["nodes 1\ndance", "line 2: there is no verb dance"],
    ["nodes 1\nget n2 k", "line 2: there is no node n2"],
    ["nodes 1\nget n1", "line 2: get wants a key"],
    ["nodes 1\nget n1 k v", "line 2: get has no use for v"],
    ["nodes 1\nget n1 k w=1 x=1", "line 2: get has no option x"],
    ["nodes 1\nput n1 k v context=c", "line 2: there is no context c"],
    ["nodes 1\nadvance 5", "line 2: 5 is no duration such as 500ms or 2s"],
    ["nodes 1\nget n1 k &a", "nobody awaits a"],
    ["nodes 1\nstatus &a", "line 2: status cannot run in the background"],
  ])("that is wrong says where: %j", async (script, message) => {
    await expect(runScenario(script, drain)).rejects.toThrow(message);
  });
});
