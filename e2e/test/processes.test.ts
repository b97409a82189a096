import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Command, coterie } from "../src/command.ts";
import { consecutivePorts } from "../src/consecutive-ports.ts";
import { HttpClient } from "../src/http-client.ts";
import { KvClient } from "../src/kv.ts";

const patience = { timeout: 60_000, interval: 50 };
vi.setConfig({ testTimeout: 120_000 });
const processes = 2;
const directory = mkdtempSync(join(tmpdir(), "coterie-processes-"));
const kv = new KvClient();
const http = new HttpClient();
const hosts: Host[] = [];

/** What stands for a machine: a supervisor with the processes that it runs. */
class Host {
  readonly name: string;
  readonly words: readonly string[];
  command: Command;

  constructor(name: string, at: number, bootstrap: string) {
    this.name = name;
    const portsOf = (nth: number): string => `127.0.0.1:${at + nth * processes}`;
    const options: Readonly<Record<string, string>> = {
      "--id": name,
      "--host": name,
      "--data": join(directory, name),
      "--http": portsOf(0),
      "--resp": portsOf(1),
      "--grpc": portsOf(2),
      "--peer": portsOf(3),
      "--bootstrap": bootstrap,
      "--n-max": "2",
      "--partitions": "16",
      "--reserve-bytes": "0",
    };
    this.words = ["start", ...Object.entries(options).flat()];
    this.doors = Array.from({ length: processes }, (_, nth) => `127.0.0.1:${at + nth}`);
    this.command = this.start();
  }

  readonly doors: readonly string[];

  start(): Command {
    this.command = new Command([...this.words, "--processes", String(processes)]);
    return this.command;
  }

  pidFile(nth: number): string {
    return join(directory, this.name, `p${nth}`, "coterie.pid");
  }

  pid(nth: number): number {
    return Number(readFileSync(this.pidFile(nth), "utf8"));
  }

  get pids(): readonly number[] {
    return Array.from({ length: processes }, (_, at) => this.pid(at + 1));
  }

  /** Settles when all processes serve. */
  async untilReady(): Promise<void> {
    for (const door of this.doors) {
      while (!(await isReady(door))) await sleep(patience.interval);
    }
  }
}

async function isReady(door: string): Promise<boolean> {
  try {
    return (await http.send(door, "GET", "/readyz", {})).status === 200;
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    return !(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "Z").startsWith("Z");
  } catch {
    return false;
  }
}

beforeAll(async () => {
  const ports = 4 * processes;
  const first = await consecutivePorts(2 * ports);
  const peersOf = (at: number): string => `127.0.0.1:${at + 6}-${at + 7}`;
  const bootstrap = `${peersOf(first)},${peersOf(first + ports)}`;
  hosts.push(new Host("a", first, bootstrap), new Host("b", first + ports, bootstrap));
  await Promise.all(hosts.map((host) => host.untilReady()));
}, 150_000);

afterAll(async () => {
  await Promise.all(hosts.map(({ command }) => command.stop(30_000)));
  kv.close();
  http.close();
  rmSync(directory, { recursive: true });
}, 60_000);

it("two hosts of two processes hold the copies of a key on both hosts", async () => {
  const [a, b] = hosts as [Host, Host];
  for (let at = 0; at < 20; at += 1) {
    expect((await kv.put(a.doors[at % processes] ?? "", `key-${at}`, "v")).status).toBe(204);
    const holders = await kv.getHolders(b.doors[0] ?? "", `key-${at}`);
    expect(holders).toHaveLength(2);
    expect(new Set(holders.map((id) => id.split("-")[0]))).toEqual(new Set(["a", "b"]));
  }
  const { stdout } = await coterie("members", "--node", `http://${a.doors[1]}`);
  for (const id of ["a-1", "a-2", "b-1", "b-2"]) expect(stdout).toContain(id);
});

it("a process that is killed is started again, and one that was drained as well", async () => {
  const [a, b] = hosts as [Host, Host];
  const [killed, other] = a.pids as [number, number];
  process.kill(killed, "SIGKILL");
  await expect.poll(() => a.pid(1) !== killed, patience).toBe(true);
  await a.untilReady();
  expect(a.pid(2)).toBe(other);
  expect(a.command.output).toContain('"event":"process-ended","id":"a-1","how":"SIGKILL"');
  const drained = await coterie("drain", "a-2", "--node", `http://${b.doors[0]}`);
  expect(drained).toMatchObject({ code: 0 });
  await expect.poll(() => a.pid(2) !== other, patience).toBe(true);
  await a.untilReady();
  expect(a.command.output).toContain('"event":"process-ended","id":"a-2","how":"exit code 0"');
  for (let at = 0; at < 20; at += 1) {
    expect((await kv.get(a.doors[0] ?? "", `key-${at}`)).values).toEqual(["v"]);
  }
});

it("the directory goes on with as many processes as it has", async () => {
  const [a] = hosts as [Host, Host];
  const one = await coterie(...a.words);
  expect(one).toMatchObject({ code: 2 });
  expect(one.stderr).toContain("--processes 2");
  const data = join(directory, "a", "p1");
  const within = await coterie(...a.words, "--data", data, "--processes", "2");
  expect(within).toMatchObject({ code: 2 });
  expect(within.stderr).toContain("is the directory of one node");
});

it("SIGTERM stops all processes, and kill -9 leaves none behind", async () => {
  const [a, b] = hosts as [Host, Host];
  const pids = [...a.pids, ...b.pids];
  b.command.child.kill("SIGKILL");
  await expect.poll(() => b.pids.some(isRunning), patience).toBe(false);
  const again = b.start();
  await b.untilReady();
  const restarted = b.pids;
  expect(await again.stop(60_000)).toMatchObject({ code: 0 });
  expect(await a.command.stop(60_000)).toMatchObject({ code: 0 });
  expect([...pids, ...restarted].filter(isRunning)).toEqual([]);
  expect(hosts.some((host) => existsSync(host.pidFile(1)) || existsSync(host.pidFile(2)))).toBe(
    false,
  );
});
