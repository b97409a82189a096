import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RealCluster } from "../src/real-cluster.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const page = readFileSync(at("../../docs/guide/grpc.md"), "utf8");
const proto = at("../../packages/protocol/proto");

/** The first block of a language in the walk. */
function block(language: string): string {
  const section = page.slice(page.indexOf("\n## A walk with Python\n"));
  const found = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "mu").exec(section)?.[1];
  if (found === undefined) throw new Error(`the walk has no ${language} block`);
  return found;
}

/** Runs a command with Debian's Python before any other; returns what it printed. */
function run(command: string, cwd: string): string {
  const env = { ...process.env, PATH: `/usr/bin:${process.env["PATH"] ?? ""}` };
  const { stdout, stderr, status } = spawnSync("sh", ["-ec", command], { cwd, env });
  if (status !== 0) throw new Error(`${command} failed:\n${stdout.toString()}${stderr.toString()}`);
  return stdout.toString();
}

describe("a program in Python, with Debian's python3-grpcio", () => {
  let cluster: RealCluster;
  let directory: string;
  let door: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "coterie-python-"));
    cluster = await RealCluster.start();
    door = cluster.endpoints[0]?.grpc ?? "";
  });

  afterAll(async () => {
    await cluster.stop();
    rmSync(directory, { recursive: true });
  });

  it("docs/guide/grpc.md: the walk does and prints what the page says", () => {
    const script = block("python").replaceAll("127.0.0.1:7601", door);
    expect(script).toContain(door);
    writeFileSync(join(directory, "walk.py"), script);
    const commands = block("sh").replaceAll("packages/protocol/proto", proto);
    expect(run(commands, directory)).toBe(block("text"));
  });

  it("finds health and reflection", () => {
    for (const file of ["health/v1/health.proto", "reflection/v1alpha/reflection.proto"]) {
      const folder = join(proto, "grpc", file, "..");
      const outputs =
        "--python_out=. --grpc_python_out=. " +
        "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin";
      const name = file.split("/").at(-1) ?? "";
      run(`protoc -I ${folder} ${outputs} ${name}`, directory);
    }
    const script = at("grpc-services.py");
    const printed = run(`PYTHONPATH=. python3 ${script} ${door}`, directory);
    expect(printed.trimEnd().split("\n")).toEqual([
      "health '' SERVING",
      "health 'coterie.v1.Kv' SERVING",
      "health 'coterie.v1.Cluster' SERVING",
      "health 'nothing' NOT_FOUND",
      "watch SERVING",
      "service coterie.v1.Cluster",
      "service coterie.v1.Kv",
      "service grpc.health.v1.Health",
      "service grpc.reflection.v1.ServerReflection",
      "service grpc.reflection.v1alpha.ServerReflection",
      "file coterie/v1/kv.proto Get Put Delete Batch Scan Pipe",
      "error 5",
    ]);
  });
});

it("the committed descriptors are those of the .proto files", () => {
  const tool = at("../../tools/describe-services.js");
  expect(() => execFileSync(process.execPath, [tool, "--check"], { stdio: "pipe" })).not.toThrow();
});
