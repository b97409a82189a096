import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/doors/resp/commands/commands.ts";
import { missingCommands } from "../../src/doors/resp/missing-commands.ts";

const page = readFileSync(new URL("../../../../docs/guide/redis.md", import.meta.url), "utf8");
const all = [...new Set(commands.values())];

describe("the page for Redis clients", () => {
  it("names every command", () => {
    expect(
      all.map(({ name }) => name.toUpperCase()).filter((name) => !page.includes(`\`${name}\``)),
    ).toEqual([]);
  });

  it("is about commands that are not refused", () => {
    expect(all.map(({ name }) => name).filter((name) => missingCommands.has(name))).toEqual([]);
  });
});
