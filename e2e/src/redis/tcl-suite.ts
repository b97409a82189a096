import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianSource } from "./debian-source.ts";
import { runProgram } from "./run-program.ts";

/** A case that is not run: it uses commands that Coterie refuses. */
export interface ExcludedCase {
  readonly name: string;
  /** Commands, with the arguments that matter. */
  readonly uses: readonly string[];
}

export interface TclReport {
  readonly passed: readonly string[];
  /** With what was expected. */
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** Left out by the suite itself, since it did not start the server. */
  readonly ignored: readonly string[];
  readonly output: string;
}

/** Those of strings, of keys, and of the protocol itself. */
export const tclUnits: readonly string[] = [
  "unit/type/string",
  "unit/type/incr",
  "unit/keyspace",
  "unit/expire",
  "unit/scan",
  "unit/protocol",
  "unit/quit",
];

/** Lines of `name <tab> command, command`; those that begin with # are comments. */
export function readExcluded(text: string): readonly ExcludedCase[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name = "", uses = ""] = line.split("\t");
      return { name, uses: uses.split(", ") };
    });
}

/** Runs one unit of Redis' own suite, of Debian's source package, against a running server. */
export async function runTclUnit(
  unit: string,
  port: number,
  excluded: readonly ExcludedCase[],
): Promise<TclReport> {
  const tree = debianSource("redis");
  const programs = join(tree, "src");
  for (const name of ["redis-cli", "redis-benchmark"]) {
    if (!existsSync(join(programs, name))) symlinkSync(`/usr/bin/${name}`, join(programs, name));
  }
  const harness = join(tree, "tests/support/server.tcl");
  // It begins with a command that Coterie refuses, and stops at an error.
  const before = readFileSync(harness, "utf8");
  writeFileSync(
    harness,
    before.replace(/^ {4}r function flush$/mu, "    catch {r function flush}"),
  );
  rmSync(join(tree, "tests/tmp"), { recursive: true, force: true });
  mkdirSync(join(tree, "tests/tmp"));
  const skipFile = join(tree, "tests/tmp/excluded");
  writeFileSync(skipFile, excluded.map(({ name }) => name).join("\n"));
  const target = ["--host", "127.0.0.1", "--port", String(port)];
  // There is one database, and a case that ends by an exception is one that failed.
  const words = [...target, "--singledb", "--durable", "--skipfile", skipFile];
  const program = ["tclsh", "tests/test_helper.tcl", "--single", unit, ...words];
  const { output } = await runProgram(program, {
    cwd: tree,
    secondsMax: 240,
  });
  return readTclReport(output);
}

/** What became of each case, by the suite's lines. */
export function readTclReport(output: string): TclReport {
  const lines = output.split("\n");
  const marked = (mark: string): readonly string[] =>
    lines
      .filter((line) => line.startsWith(`[${mark}]: `))
      .map((line) => line.slice(mark.length + 4));
  return {
    passed: marked("ok").map((line) => line.replace(/ \(\d+ ms\)$/u, "")),
    failed: [...marked("err"), ...marked("exception"), ...marked("timeout")],
    skipped: marked("skip"),
    ignored: marked("ignore"),
    output,
  };
}
