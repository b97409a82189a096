import { settings } from "./server-config.ts";

/** Values to begin with where there is no default. */
const examples: Readonly<Record<string, unknown>> = {
  id: "n1",
  clusterKey: "/etc/coterie/cluster.key",
  buckets: { carts: { n: 3, r: 2, w: 2 }, sessions: { policy: "lww" } },
  bootstrap: ["127.0.0.1:7701", "127.0.0.1:7702", "127.0.0.1:7703"],
};

/** A configuration file with every setting, its meaning and its default, all commented out. */
export function configTemplate(): string {
  const lines = settings.flatMap(({ name, default: standard, meaning }) => {
    const value = examples[name] ?? standard;
    const isExample = name in examples;
    const note = isExample ? `; ${standard === undefined ? "no default" : "an example"}` : "";
    return ["", `  // ${meaning}${note}`, `  // "${name}": ${JSON.stringify(value)},`];
  });
  const head = [
    "// Settings of a Coterie node: coterie start --config FILE. Uncomment what differs from the",
    "// defaults; variables and flags take precedence. Check it: coterie config check FILE",
  ];
  return `${[...head, "{", ...lines.slice(1), "}"].join("\n")}\n`;
}
