import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { findings, type Finding } from "../doctor/checks.ts";
import { nodeFacts } from "../doctor/node-facts.ts";
import { fetchJson, sortedMembers, type ClusterView } from "../http/cluster.ts";
import type { Style, Terminal } from "../terminal.ts";

const answerMs = 5000;

/** `coterie doctor`: what is wrong with the cluster, and what to do; 1 if anything fails. */
export function doctor(options: NodeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const cluster = (await fetchJson(pool, "doctor", "/v1/cluster")) as ClusterView;
    const timeoutMs = options.timeout ?? answerMs;
    const nodes = await Promise.all(
      sortedMembers(cluster).map((member) => nodeFacts(pool, member, timeoutMs)),
    );
    const found = findings(nodes);
    const isWell = found.every(({ level }) => level !== "fail");
    if (options.json === true) {
      await terminal.data(`${JSON.stringify({ ok: isWell, findings: found })}\n`);
    } else await terminal.data(textOf(found, terminal));
    return isWell ? exitCodes.ok : exitCodes.failure;
  });
}

const styles: Readonly<Record<Finding["level"], Style>> = {
  ok: "green",
  warn: "yellow",
  fail: "red",
};

function textOf(found: readonly Finding[], terminal: Terminal): string {
  const isPainted = terminal.isDataInteractive;
  const nodeWidth = Math.max(...found.map(({ node }) => node.length), 1);
  const checkWidth = Math.max(...found.map(({ check }) => check.length), 1);
  const lines = found.flatMap(({ level, check, node, detail, next }) => {
    const padded = level.padEnd(4);
    const mark = isPainted ? terminal.paint(styles[level], padded) : padded;
    const columns = [mark, (node || "-").padEnd(nodeWidth), check.padEnd(checkWidth), detail];
    const line = columns.join("  ");
    return next === "" ? [line] : [line, `      try: ${next}`];
  });
  const count = (level: Finding["level"]): number =>
    found.filter((each) => each.level === level).length;
  lines.push(`${count("ok")} ok, ${count("warn")} warnings, ${count("fail")} failures`);
  return `${lines.join("\n")}\n`;
}
