import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TargetName } from "../drivers/open-driver.ts";

/** The program of each store, and the Debian package that it comes in. */
const programs: Readonly<Partial<Record<TargetName, readonly [program: string, pkg: string]>>> = {
  redis: ["redis-server", "redis-server"],
  etcd: ["etcd", "etcd-server"],
  nats: ["nats-server", "nats-server"],
};

/** The path of a program; undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  // Debian keeps servers in /usr/sbin, which not every user's PATH has.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** What to do to have a store's program; undefined if it is there, or none is needed. */
export function missingProgram(target: TargetName): string | undefined {
  const [program, pkg] = programs[target] ?? [];
  if (program === undefined || pkg === undefined || findProgram(program) !== undefined) {
    return undefined;
  }
  return (
    `${program} is not installed. On Debian: apt-get install --no-install-recommends ${pkg} ` +
    "(and, if that starts a service of its own, stop it: the bench starts private ones)"
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
