import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { command, coterie } from "./run-coterie.ts";

interface Dev {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

let data: string;
const running: Dev[] = [];

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "coterie-dev-"));
});
afterEach(async () => {
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.splice(0).map(({ ended }) => ended));
  rmSync(data, { recursive: true, force: true });
});

/** Starts `coterie dev` with its standard input closed; settles when it says that it is ready. */
async function startDev(...words: string[]): Promise<Dev> {
  const child = spawn(process.execPath, [command, "dev", "--data", data, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const dev = { child, output: () => output, ended };
  running.push(dev);
  await until(() => output.includes("npx coterie put") || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error(output);
  return dev;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

function pids(): readonly number[] {
  return ["n1", "n2", "n3"]
    .map((id) => join(data, id, "coterie.pid"))
    .filter((file) => existsSync(file))
    .map((file) => Number(readFileSync(file, "utf8")));
}

function isRunning(pid: number): boolean {
  try {
    // A process that has ended and is not waited for yet still has an entry, without arguments.
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

function urls(): readonly string[] {
  const { nodes } = JSON.parse(readFileSync(join(data, "endpoints.json"), "utf8"));
  return nodes.map(({ http }: { http: string }) => `http://${http}`);
}

describe("coterie dev", () => {
  it("serves while a node is dead or paused, and stops cleanly", async () => {
    const dev = await startDev("--base-port", "0");
    const [first = "", , third = ""] = urls();
    expect((await coterie(["put", "k", "one", "--node", first])).exit).toBe(0);

    expect((await coterie(["dev", "kill", "n2", "--data", data])).exit).toBe(0);
    await until(() => dev.output().includes("n2 died (SIGKILL)"));
    expect(dev.output()).toContain(`coterie dev revive n2 --data ${data}`);
    const degraded = await coterie(["status", "--node", first]);
    expect(degraded.exit).toBe(1);
    expect(degraded.stderr).toContain("n2 is unreachable");
    expect(await coterie(["get", "k", "--node", third])).toMatchObject({ exit: 0, stdout: "one" });
    expect((await coterie(["put", "k", "two", "--node", third])).exit).toBe(0);
    expect((await coterie(["dev", "revive", "n2", "--data", data])).exit).toBe(0);

    expect((await coterie(["dev", "pause", "n3", "--data", data])).exit).toBe(0);
    expect(await coterie(["get", "k", "--node", first])).toMatchObject({ exit: 0, stdout: "two" });
    expect((await coterie(["dev", "revive", "n3", "--data", data])).exit).toBe(0);
    expect((await coterie(["status", "--node", first])).exit).toBe(0);

    const nodes = pids();
    expect(nodes).toHaveLength(3);
    dev.child.kill("SIGTERM");
    expect(await dev.ended).toBe(0);
    expect(nodes.filter(isRunning)).toEqual([]);
    expect(pids()).toEqual([]);
  });

  it("finds its data and its ports again", async () => {
    const before = await startDev("--base-port", "0");
    const [first = ""] = urls();
    await coterie(["put", "k", "kept", "--node", first]);
    before.child.kill("SIGTERM");
    await before.ended;
    await startDev();
    expect(urls()[0]).toBe(first);
    expect(await coterie(["get", "k", "--node", first])).toMatchObject({ stdout: "kept" });
  });

  it("takes its nodes along when it is killed, paused ones too", async () => {
    const dev = await startDev("--base-port", "0", "--memory");
    await coterie(["dev", "pause", "n2", "--data", data]);
    const nodes = pids();
    dev.child.kill("SIGKILL");
    await until(() => nodes.every((pid) => !isRunning(pid)));
    expect(nodes).toHaveLength(3);
  });

  it("refuses another shape, a second dev, and unknown nodes", async () => {
    const dev = await startDev("--base-port", "0");
    const second = await coterie(["dev", "--data", data]);
    expect(second.exit).toBe(1);
    expect(second.stderr).toContain(`in use by \`coterie dev\` with pid ${dev.child.pid}`);
    expect((await coterie(["dev", "kill", "n9", "--data", data])).exit).toBe(2);
    dev.child.kill("SIGTERM");
    await dev.ended;
    const other = await coterie(["dev", "--data", data, "--nodes", "4"]);
    expect(other.exit).toBe(2);
    expect(other.stderr).toContain("made with --nodes 3");
    expect((await coterie(["dev", "revive", "n1", "--data", data])).exit).toBe(1);
  });

  it("says which port is in use", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const failed = await coterie(["dev", "--data", data, "--base-port", String(port - 1)]);
    server.close();
    expect(failed.exit).toBe(1);
    expect(failed.stderr).toContain(`port ${port} is in use`);
    expect(failed.stderr).toContain("--base-port");
  });
});
