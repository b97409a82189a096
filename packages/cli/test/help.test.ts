import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { settings } from "@coterie/server";
import { describe, expect, it } from "vitest";
import { newProgram } from "../src/program.ts";
import { startSettings } from "../src/program/start-settings.ts";
import { command } from "./run-coterie.ts";

/** Every command with its words, the program itself among them. */
function commandsOf(parent: Command, words: string): readonly (readonly [string, Command])[] {
  const below = parent.commands.flatMap((child) => commandsOf(child, `${words} ${child.name()}`));
  return [[words, parent], ...below];
}

/** The whole help, with what is added after it. */
function helpOf(each: Command): string {
  let text = "";
  each.configureOutput({ writeOut: (piece) => (text += piece) });
  each.outputHelp();
  return text;
}

/** The lines after "Examples:" that call the command, continued ones joined. */
function examplesIn(help: string): readonly string[] {
  const [, after = ""] = help.split(/^Examples:$/mu);
  return after
    .replaceAll(/\\\n\s*/gu, "")
    .split("\n")
    .filter((line) => /^ {2}\S/u.test(line))
    .map((line) => line.trim());
}

/** The words of each call of the command in a line of a shell. */
function callsIn(line: string): readonly (readonly string[])[] {
  return line.split(" | ").flatMap((part) => {
    // Two spaces begin an explanation, > a file.
    const call = (part.split(/ {2,}| > /u)[0] ?? "").trim();
    const words = [...call.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/gu)].map(
      ([, single, double, bare]) => single ?? double ?? bare ?? "",
    );
    return words[0] === "coterie" ? [words.slice(1)] : [];
  });
}

/** Parses a line as the command would, and does nothing. */
async function parse(words: readonly string[]): Promise<string> {
  const program = newProgram(() => undefined);
  let ran = "";
  for (const [name, each] of commandsOf(program, "coterie")) {
    each.exitOverride().configureOutput({ writeErr: () => undefined });
    if (each.commands.length === 0 || name === "coterie dev") each.action(() => void (ran = name));
  }
  await program.parseAsync(words, { from: "user" });
  return ran;
}

const commands = commandsOf(
  newProgram(() => undefined),
  "coterie",
);

describe("help", () => {
  it.each(commands)("of %s has examples, and they parse", async (name, each) => {
    const lines = examplesIn(helpOf(each)).flatMap(callsIn);
    expect(lines.length).toBeGreaterThan(0);
    const ran = await Promise.all(lines.map(parse));
    // Somebody who reads the help of a command wants to see that command.
    expect(ran.some((path) => `${path} `.startsWith(`${name} `))).toBe(true);
    if (name !== "coterie") expect(each.summary()).not.toBe("");
    expect(each.description()).not.toBe("");
  });

  it("knows an example that does not parse", async () => {
    await expect(parse(["put", "a"])).rejects.toThrow("missing required argument");
    await expect(parse(["get", "a", "--nonsense"])).rejects.toThrow("unknown option");
  });

  it("of start lists every setting with its default, as the server has them", () => {
    const textOf = (standard: unknown): string => {
      if (standard === undefined || typeof standard === "boolean") return "";
      return typeof standard === "string" ? standard : JSON.stringify(standard);
    };
    const expected = settings.map(({ name, default: standard, meaning }) => {
      return { name, meaning, standard: name === "host" ? "" : textOf(standard) };
    });
    expect(
      startSettings.map(({ name, meaning, standard }) => ({ name, meaning, standard })),
    ).toEqual(expected);
    const flagless = startSettings.filter(({ takes }) => takes === "").map(({ name }) => name);
    const yesOrNo = settings.filter(({ default: standard }) => typeof standard === "boolean");
    expect(flagless).toEqual(yesOrNo.map(({ name }) => name));
  });

  it("loads neither the server nor what any command needs", () => {
    const directory = mkdtempSync(join(tmpdir(), "coterie-help-"));
    try {
      // V8's report of coverage names every script that was loaded.
      const env = { ...process.env, NODE_V8_COVERAGE: directory };
      expect(spawnSync(process.execPath, [command, "--help"], { env }).status).toBe(0);
      const text = readdirSync(directory).map((name) =>
        readFileSync(join(directory, name), "utf8"),
      );
      const loaded = [...text.join("").matchAll(/"url":"(file:[^"]+)"/gu)].map(([, url]) => url);
      expect(loaded.some((url) => url?.includes("/commander/"))).toBe(true);
      expect(
        loaded.filter((url) => /packages\/(?!cli)|\/commands\/|@grpc|zod/u.test(url ?? "")),
      ).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
