import { expect, it } from "vitest";
import { commands } from "../../src/doors/resp/commands/commands.ts";
import { argumentsOf } from "../../src/doors/resp/usage.ts";

/** Words of a usage that a call cannot do without. */
function required(usage: string): number {
  let words = usage;
  while (words.includes("[")) words = words.replace(/\[[^[\]]*\]( \.\.\.)?/gu, "");
  return words.split(" ").filter((word) => word !== "" && word !== "...").length;
}

const described = [...new Set(commands.values())]
  .flatMap((command) => [command, ...command.subcommands.values()])
  .filter(({ usage }) => usage !== "");

it.each(described.map((command) => [command.name, command] as const))(
  "%s needs as many words as its usage says",
  (name, { usage, arity }) => {
    const own = name.split("|").length;
    expect(required(usage) + own).toBe(Math.abs(arity));
    expect(arity < 0).toBe(/\[|\.\.\./u.test(usage));
    expect(argumentsOf(usage)).not.toEqual([]);
  },
);

it("describes the arguments of every command that has keys", () => {
  const silent = [...new Set(commands.values())]
    .filter(({ keys, usage }) => keys !== undefined && usage === "")
    .map(({ name }) => name);
  expect(silent).toEqual([]);
});
