import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where they are kept from one run to the next; nothing in it is committed. */
const kept = fileURLToPath(new URL("../../../tmp/debian-sources", import.meta.url));
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * The source of a Debian package, as this machine's release has it: fetched with apt, whose lists
 * and sources for that are in a directory of their own. It needs dpkg-dev, and no root.
 */
export function debianSource(name: string): string {
  const target = join(kept, name);
  if (existsSync(target)) return target;
  const work = join(kept, `${name}.${process.pid}`);
  mkdirSync(join(work, "lists/partial"), { recursive: true });
  mkdirSync(join(work, "parts"));
  mkdirSync(join(work, "tree"));
  const release = /^VERSION_CODENAME=(.+)$/mu.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const line = `deb-src [signed-by=${keyring}] http://deb.debian.org/debian`;
  writeFileSync(join(work, "sources"), `${line} ${release} main\n`);
  const options = [
    `Dir::Etc::sourcelist=${work}/sources`,
    `Dir::Etc::sourceparts=${work}/parts`,
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}`,
  ].flatMap((option) => ["-o", option]);
  run("apt-get", [...options, "-q", "update"], work);
  run("apt-get", [...options, "-q", "source", name], join(work, "tree"));
  const [tree] = readdirSync(join(work, "tree"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  if (tree === undefined) throw new Error(`apt-get source ${name} made no directory`);
  renameSync(join(work, "tree", tree.name), target);
  rmSync(work, { recursive: true });
  return target;
}

function run(command: string, words: readonly string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(command, words, { cwd, encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`${command} ${words.join(" ")}: ${error?.message ?? stdout + stderr}`);
}
