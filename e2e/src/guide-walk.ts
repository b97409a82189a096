import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A page's walk: the commands it shows, and what it says that they print. */
export interface GuideWalk {
  readonly script: string;
  readonly prints: string;
}

/** Reads the first `sh` and the first `text` block after a heading of docs/guide/{page}. */
export function guideWalk(page: string, heading: string): GuideWalk {
  const text = readFileSync(new URL(`../../docs/guide/${page}`, import.meta.url), "utf8");
  const section = text.slice(text.indexOf(`\n## ${heading}\n`) + 1).split(/^## /mu)[1] ?? "";
  const block = (language: string): string => {
    const found = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "mu").exec(section)?.[1];
    if (found === undefined) throw new Error(`${page} has no ${language} block in ${heading}`);
    return found;
  };
  return { script: block("sh"), prints: block("text") };
}

/** Runs the commands as they are, but for where the nodes are; returns what they printed. */
export function runWalk({ script }: GuideWalk, doors: readonly string[]): Promise<string> {
  let text = script;
  for (const [at, door] of doors.entries()) text = text.replaceAll(`127.0.0.1:740${at + 1}`, door);
  const child = spawn("sh", ["-c", text], { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let printed = "";
    const add = (chunk: Buffer): void => {
      printed += chunk.toString();
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.on("error", reject);
    child.on("close", () => resolve(printed));
  });
}

export function isInstalled(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}
