import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

// The built package, as a process of its own: signals and exit codes are what is tested.
const script = `
  import { loadConfig, runServer } from "@coterie/server";
  const loaded = loadConfig({ env: {}, flags: JSON.parse(process.argv[1]) });
  if (!loaded.ok) throw new Error(loaded.message);
  process.exitCode = await runServer(loaded.config);
  if (process.connected) process.disconnect();
`;

let directory: string;
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-run-"));
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(directory, { recursive: true });
});

class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string>;
  #output = "";
  #wake: () => void = () => undefined;

  constructor(flags: Readonly<Record<string, unknown>> = {}) {
    const settings = {
      id: "n1",
      http: "127.0.0.1:0",
      grpc: "127.0.0.1:0",
      resp: "127.0.0.1:0",
      peer: "127.0.0.1:0",
      data: directory,
      reserveBytes: 0,
      ...flags,
    };
    this.child = spawn(
      process.execPath,
      ["--input-type=module", "-e", script, JSON.stringify(settings)],
      { stdio: ["ignore", "inherit", "pipe", "ipc"], cwd: import.meta.dirname },
    );
    children.push(this.child);
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.#output += chunk.toString();
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.child.once("exit", (code, signal) => {
        resolve(code ?? signal ?? "");
        this.#wake();
      });
    });
  }

  /** What it wrote, once that contains `words` or the process has ended. */
  async said(words: string): Promise<string> {
    while (!this.#output.includes(words) && this.child.exitCode === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#output;
  }
}

describe("a node's process", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("drains and ends with 0 at %s", async (signal) => {
    const run = new Run();
    await run.said('"ready"');
    run.child.kill(signal);
    expect(await run.ended).toBe(0);
    const lines = (await run.said("stopped")).trim().split("\n");
    const words = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(words).toEqual([
      "starting",
      "store opened",
      "cluster formed",
      "ready",
      "draining",
      "stopped",
    ]);
  });

  it("drains and ends with 0 while it waits for its cluster", async () => {
    const run = new Run({ bootstrap: "127.0.0.1:1" });
    await run.said("store opened");
    run.child.kill("SIGTERM");
    expect(await run.ended).toBe(0);
  });

  it("ends when the process that started it closes the channel", async () => {
    const run = new Run();
    await run.said('"ready"');
    run.child.disconnect();
    expect(await run.ended).toBe(0);
  });

  it("finds its directory clean after a stop, and not clean after a kill", async () => {
    const first = new Run();
    const peer = /"peer":"([^"]+)"/u.exec(await first.said('"ready"'))?.[1];
    first.child.kill("SIGTERM");
    await first.ended;
    const second = new Run({ peer });
    const said = await second.said('"ready"');
    expect(said).toContain('"wasCleanStop":true');
    const door = /"http":"([^"]+)"/u.exec(said)?.[1];
    await fetch(`http://${door}/v1/buckets/default/keys/k`, { method: "PUT", body: "x" });
    second.child.kill("SIGKILL");
    expect(await second.ended).toBe("SIGKILL");
    const third = new Run({ peer });
    expect(await third.said('"ready"')).toContain('"wasCleanStop":false');
  });

  it("ends with 1 and a reason when its directory belongs to another address", async () => {
    const first = new Run();
    await first.said('"ready"');
    first.child.kill("SIGTERM");
    await first.ended;
    const second = new Run();
    expect(await second.ended).toBe(1);
    expect(await second.said("--peer")).toContain("start it with --peer 127.0.0.1:");
  });
});
