import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify, formatWithOptions } from "node:util";
import { Coterie } from "@coterie/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientPromises } from "../src/client-contract.ts";
import { guideProgram } from "../src/guide-program.ts";
import { RealCluster } from "../src/real-cluster.ts";

const here = fileURLToPath(new URL("..", import.meta.url));
let cluster: RealCluster;
let nodes: readonly string[];

beforeAll(async () => {
  cluster = await RealCluster.start();
  nodes = cluster.endpoints.map(({ grpc }) => grpc);
}, 90_000);
afterAll(() => cluster.stop());

describe("the client of a real cluster promises that", () => {
  let coterie: Coterie;
  beforeAll(() => {
    coterie = new Coterie({ nodes, timeoutMs: 20_000 });
  });
  afterAll(() => coterie.close());

  it.each(clientPromises)("$promise", async (guarantee) => {
    await guarantee.run(coterie, `${guarantee.promise.length}/${guarantee.promise}/`);
  });
});

describe("every page that shows the client", () => {
  mkdirSync(join(here, "tmp"), { recursive: true });
  const folder = mkdtempSync(join(here, "tmp/guide-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const pages = ["docs/guide/client.md", "README.md"];

  it.each(pages)("is a program that prints what it says: %s", async (page) => {
    const addresses = nodes.map((node) => `"${node}"`);
    const { source, expected } = guideProgram(readFileSync(join(here, "..", page), "utf8"), {
      // And time for a busy machine.
      '"127.0.0.1:7601", "127.0.0.1:7602"]': `${addresses.join(", ")}], timeoutMs: 20_000`,
    });
    const file = join(folder, `${page.replaceAll(/\W/gu, "-")}.ts`);
    writeFileSync(file, source);
    const printed = new Map<number, string>();
    const program = (await import(pathToFileURL(file).href)) as {
      run(print: (line: number, ...values: unknown[]) => void): Promise<void>;
    };
    await program.run((line, ...values) => {
      printed.set(line, formatWithOptions({ breakLength: Number.POSITIVE_INFINITY }, ...values));
    });
    expect(Object.fromEntries(printed)).toEqual(Object.fromEntries(expected));
    expect(expected.size).toBeGreaterThan(0);
  });

  it("has the types it claims", () => {
    const options = [
      "--ignoreConfig",
      "--noEmit",
      "--strict",
      "--module",
      "NodeNext",
      "--target",
      "ES2023",
    ];
    const files = readdirSync(folder).map((file) => join(folder, file));
    const tsc = join(here, "../node_modules/.bin/tsc");
    const words = [...options, "--lib", "ESNext", "--types", "node", "--skipLibCheck", ...files];
    expect(execFileSync(tsc, words, { encoding: "utf8" })).toBe("");
  });
});

describe("a process", () => {
  const runScript = (script: string): Promise<{ stdout: string; stderr: string }> => {
    const words = ["--unhandled-rejections=strict", "--input-type=module", "-e", script];
    return promisify(execFile)(process.execPath, [...words, ...nodes], {
      cwd: here,
      timeout: 20_000,
    });
  };

  it("ends by itself while connections are idle, not while an operation is pending", async () => {
    const { stdout, stderr } = await runScript(`
      import { Coterie } from "@coterie/client";
      const coterie = new Coterie({ nodes: process.argv.slice(1) });
      coterie.put("process", "1")
        .then(() => coterie.get("process"))
        .then(({ kind }) => console.log(kind));
    `);
    expect([stdout, stderr]).toEqual(["value\n", ""]);
  });

  it("keeps nothing open after close, and leaves no rejection unhandled", async () => {
    const { stdout, stderr } = await runScript(`
      import { Coterie } from "@coterie/client";
      const coterie = new Coterie({ nodes: process.argv.slice(1) });
      await coterie.put("process", "1");
      const late = Promise.allSettled(Array.from({ length: 50 }, () => coterie.get("process")));
      await coterie.close({ drain: false });
      console.log((await late).length);
      setTimeout(() => console.log("still alive"), 1500).unref();
    `);
    expect([stdout, stderr]).toEqual(["50\n", ""]);
  });
});
