import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { flagsForSeeds, youngMb } from "../sim/v8-for-seeds.ts";
import type { Verdict } from "./verdict.ts";

/** What a simulation is made of. */
const packages = ["core", "ports", "storage", "cluster", "sim"];

/** Longer than any number of seeds takes. */
const judgeMsMax = 30 * 60_000;

export interface JudgeOptions {
  readonly isShrinking: boolean;
  /** Files of scenarios that tell of the bug. */
  readonly named: readonly string[];
}

/**
 * A temporary copy of the packages a simulation is made of, to be changed and built. Everything
 * else that they need is linked to.
 */
export class CopyOfTheCode {
  readonly root: string;
  #judge: ChildProcess | undefined;
  readonly #removeAtExit = (): void => this.remove();

  constructor(original: string) {
    this.root = mkdtempSync(join(tmpdir(), "coterie-mutant-"));
    process.once("exit", this.#removeAtExit);
    const copy = (path: string): void => {
      cpSync(join(original, path), join(this.root, path), {
        recursive: true,
        filter: (from) => !/\/(?:node_modules|test|dist-test)$/u.test(from),
      });
    };
    for (const path of ["package.json", "tools", ...packages.map((name) => `packages/${name}`)]) {
      copy(path);
    }
    // A planted bug may well leave something unused behind.
    const base = readFileSync(join(original, "tsconfig.base.json"), "utf8");
    const lenient = base.replaceAll(/"noUnused(?<what>\w+)": true/gu, '"noUnused$<what>": false');
    writeFileSync(join(this.root, "tsconfig.base.json"), lenient);
    this.#link(original);
  }

  /** Applies a patch. Returns why it does not apply. */
  apply(patch: string): string | undefined {
    const applied = spawnSync("git", ["apply", patch], { cwd: this.root, encoding: "utf8" });
    return applied.status === 0 ? undefined : applied.stderr.trim();
  }

  /** Builds it. Returns why it does not compile. */
  build(): string | undefined {
    const compiler = join(this.root, "node_modules/.bin/tsc");
    const built = spawnSync(compiler, ["-b", "tools"], { cwd: this.root, encoding: "utf8" });
    return built.status === 0 ? undefined : built.stdout.trim();
  }

  /**
   * Runs seeds until one fails, shrinks it if asked to, and runs the scenarios that are named; all
   * of them, where none of these fails.
   */
  judge(seedsMax: number, { isShrinking, named }: JudgeOptions): Promise<Verdict> {
    const judge = join(this.root, "tools/dist/mutants/judge.js");
    const scenarios = join(this.root, "packages/sim/testdata");
    const args = [
      ...process.execArgv,
      ...flagsForSeeds,
      // A nursery is three of these.
      `--max-semi-space-size=${youngMb / 3}`,
      judge,
      String(seedsMax),
      scenarios,
      ...(isShrinking ? ["--shrink"] : []),
      ...named,
    ];
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: judgeMsMax,
    });
    this.#judge = child;
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        if (code === 0) resolve(JSON.parse(output) as Verdict);
        else reject(new Error(`the judge ended with ${code}`));
      });
    });
  }

  /** Ends the judge, if it is still at work, and leaves nothing behind. */
  remove(): void {
    process.off("exit", this.#removeAtExit);
    this.#judge?.kill("SIGKILL");
    rmSync(this.root, { recursive: true, force: true });
  }

  #link(original: string): void {
    const modules = join(original, "node_modules");
    const link = (target: string, path: string): void => {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      symlinkSync(target, join(this.root, path));
    };
    for (const name of readdirSync(modules)) {
      if (name !== "@coterie") link(join(modules, name), `node_modules/${name}`);
    }
    for (const name of packages) {
      link(join(this.root, "packages", name), `node_modules/@coterie/${name}`);
    }
    for (const name of packages) {
      const own = join(original, "packages", name, "node_modules");
      try {
        readdirSync(own);
      } catch {
        continue;
      }
      link(own, `packages/${name}/node_modules`);
    }
  }
}
