import type { SourceTree, TidyRule } from "./source-tree.ts";

const productionPackagesMax = 80;

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface LockEntry {
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
}

function looseVersions(tree: SourceTree): readonly string[] {
  return tree
    .filter(({ path }) => path === "package.json" || path.endsWith("/package.json"))
    .flatMap(({ path, text }) => {
      const manifest: Manifest = JSON.parse(text);
      return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+$/u.test(version))
        .map(([name, version]) => `${path}:1: ${name} ${version} is not an exact version`);
    });
}

/** What `npm install --omit=dev` would bring, counted in the lock file. */
function tooManyPackages(tree: SourceTree): readonly string[] {
  const path = "package-lock.json";
  const text = tree.find((file) => file.path === path)?.text;
  if (text === undefined) return [`${path}:1: is missing`];
  const lock: { readonly packages: Readonly<Record<string, LockEntry>> } = JSON.parse(text);
  const installed = Object.entries(lock.packages).filter(
    ([folder, entry]) =>
      folder.includes("node_modules/") && entry.dev !== true && entry.link !== true,
  );
  if (installed.length <= productionPackagesMax) return [];
  return [`${path}:1: ${installed.length} production packages, over ${productionPackagesMax}`];
}

/** Rules about what is depended on. */
export const packageRules: Readonly<Record<string, TidyRule>> = {
  "versions are exact": looseVersions,
  "at most 80 packages go into production": tooManyPackages,
};
