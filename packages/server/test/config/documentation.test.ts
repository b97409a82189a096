import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { settings } from "../../src/config/server-config.ts";

const page = readFileSync(
  new URL("../../../../docs/guide/configuration.md", import.meta.url),
  "utf8",
);

/** Rows of the table of settings: name, default, meaning. */
const rows = [...page.matchAll(/^\| `(\w+)` \| (.*) \| (.*) \|$/gmu)].map(
  ([, name, standard, meaning]) => ({ name, standard, meaning }),
);

/** As the page writes it; what depends on the machine has words. */
function written(name: string, standard: unknown): string {
  if (name === "host") return "the machine's name";
  if (standard === undefined) return "";
  if (typeof standard === "number" && standard % (1024 * 1024) === 0) {
    return `${standard} (${standard / 1024 / 1024} MiB)`;
  }
  return `\`${typeof standard === "string" ? standard : JSON.stringify(standard)}\``;
}

describe("docs/guide/configuration.md", () => {
  it("lists every setting in order, with its default and its meaning", () => {
    const expected = settings.map(({ name, default: standard, meaning }) => ({
      name,
      standard: written(name, standard),
      meaning,
    }));
    expect(rows.slice(0, expected.length)).toEqual(expected);
  });
});
