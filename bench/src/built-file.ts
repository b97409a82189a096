import { fileURLToPath } from "node:url";

/** The path of a built file of this package, from its sources and from what they are built to. */
export function builtFile(name: string): string {
  return fileURLToPath(new URL(`../dist/${name}`, import.meta.url));
}
