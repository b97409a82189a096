import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

/** One planted bug: a patch, what it does, and the scenario that tells its story. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly story: string;
  /** Fails with the bug; `undefined` where no script can tell it. */
  readonly scenario: string | undefined;
  /** Why no seed can show it: then its scenario alone has to. */
  readonly beyondSeeds: string | undefined;
}

/** Reads the patches of a folder; what precedes the first `diff` says what they are. */
export function readMutants(folder: string): readonly Mutant[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".patch"))
    .toSorted()
    .map((name) => {
      const file = join(folder, name);
      const [head = ""] = readFileSync(file, "utf8").split("\ndiff ");
      const scenario = /^Scenario: (?<name>\S+)$/mu.exec(head)?.groups?.["name"];
      const beyondSeeds = /^Beyond seeds: (?<why>.+)$/mu.exec(head)?.groups?.["why"];
      const [story = ""] = head.split("\n");
      return { name: basename(name, ".patch"), file, story, scenario, beyondSeeds };
    });
}
