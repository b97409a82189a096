import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * What is fuzzed: a module `packages/<package>/test/fuzz/<name>.target.ts` that exports this. `run`
 * throws when the code under test, or an invariant of it, fails; whatever it returns is fine.
 */
export interface FuzzTarget {
  readonly run: (input: Uint8Array) => void | Promise<void>;
  /** Inputs to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Texts that inputs of this format contain. */
  readonly tokens?: readonly string[];
  /** Longest input; 4096 bytes unless said otherwise. */
  readonly inputBytesMax?: number;
  /** Bytes or elements that an execution may allocate, whatever its input. */
  readonly allocationMax?: number;
}

/** Where a target is. */
export interface FuzzTargetFile {
  readonly name: string;
  readonly path: string;
}

/** An input that once failed, under the name of what was wrong. */
export interface NamedInput {
  readonly name: string;
  readonly input: Uint8Array;
}

const suffix = ".target.ts";

/** Every target of the repository, by name. */
export function findTargets(root: string): readonly FuzzTargetFile[] {
  const packages = join(root, "packages");
  return readdirSync(packages)
    .map((name) => join(packages, name, "test", "fuzz"))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((file) => file.endsWith(suffix))
        .map((file) => targetFile(join(folder, file))),
    )
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** The target at a path. */
export function targetFile(path: string): FuzzTargetFile {
  return { name: basename(path, suffix), path };
}

/** Loads a target, and checks that it is one. */
export async function loadTarget(path: string): Promise<FuzzTarget> {
  const target = (await import(pathToFileURL(path).href)) as Partial<FuzzTarget>;
  if (typeof target.run !== "function" || !Array.isArray(target.seeds)) {
    throw new TypeError(`${path} exports no run and seeds`);
  }
  return target as FuzzTarget;
}

/** The corpus beside a target: one input in base64 per line. */
export function readCorpus(path: string): readonly Uint8Array[] {
  return linesOf(corpusFile(path, "corpus")).map((line) => bytesOf(line));
}

/** Inputs that found something: a name and the input in base64 per line. */
export function readFound(path: string): readonly NamedInput[] {
  return linesOf(corpusFile(path, "found")).map((line) => {
    const [name = "", text = ""] = line.split(" ");
    return { name, input: bytesOf(text) };
  });
}

/** `testdata/<name>.<kind>` beside the target. */
export function corpusFile(path: string, kind: "corpus" | "found"): string {
  return join(dirname(path), "testdata", `${targetFile(path).name}.${kind}`);
}

function linesOf(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
