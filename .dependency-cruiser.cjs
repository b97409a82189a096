// Which package may import which: the floors of ARCHITECTURE.md. `node tools/check-imports.js`
// runs it and refuses a run that read suspiciously little.
const floors = {
  core: [],
  ports: ["core"],
  storage: ["core", "ports"],
  cluster: ["core", "ports", "storage"],
  protocol: ["core", "ports", "cluster"],
  client: ["core", "protocol"],
  server: ["core", "ports", "storage", "cluster", "protocol"],
  cli: ["core", "server"],
  sim: ["core", "ports", "storage", "cluster"],
  testing: ["core", "cluster", "protocol", "client", "sim"],
  keyv: ["client"],
};

const pure = "^packages/(core|ports|storage|cluster)/src/";

const floorRules = Object.entries(floors).map(([name, below]) => ({
  name: `floor-of-${name}`,
  severity: "error",
  from: { path: `^packages/${name}/src/` },
  to: {
    path: "^(packages|bench|e2e|tools)/",
    pathNot: `^packages/(${[name, ...below].join("|")})/`,
  },
}));

module.exports = {
  forbidden: [
    ...floorRules,
    { name: "no-cycle", severity: "error", from: {}, to: { circular: true } },
    { name: "resolves", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "pure-of-node",
      severity: "error",
      from: { path: pure },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "pure-of-npm",
      comment: "Of npm, only the pure hash functions, and only in core.",
      severity: "error",
      from: { path: pure },
      to: { path: "^node_modules/", pathNot: "^node_modules/@noble/hashes/" },
    },
    {
      name: "node-in-one-folder-of-the-client",
      severity: "error",
      from: { path: "^packages/client/src/", pathNot: "^packages/client/src/node/" },
      to: { dependencyTypes: ["core", "npm"] },
    },
    {
      name: "hashes-in-core-only",
      severity: "error",
      from: { path: "^packages/(ports|storage|cluster)/src/" },
      to: { path: "^node_modules/" },
    },
    {
      name: "one-door",
      comment: "A package is imported by its name; its folders are its own.",
      severity: "error",
      from: { path: "^(?:packages/)?([^/]+)/src/" },
      to: {
        path: "^packages/([^/]+)/src/",
        pathNot: ["^packages/$1/", "^packages/[^/]+/src/(conformance/|testing/)?index\\.ts$"],
      },
    },
    {
      name: "sources-never-import-tests",
      severity: "error",
      from: { path: "/src/" },
      to: { path: "/test/" },
    },
  ],
  options: {
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/(dist|dist-test)/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["coterie-source", "import", "node", "default", "types"],
      extensions: [".ts", ".js"],
    },
  },
};
