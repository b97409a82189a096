import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { coterie } from "./run-coterie.ts";
import { nodeUrls, startDev, until, type RunningDev } from "./running-dev.ts";

let data: string;
const running: RunningDev[] = [];

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "coterie-dev-"));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((dev) => dev.stop()));
  rmSync(data, { recursive: true, force: true });
});

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

async function start(...words: string[]): Promise<RunningDev> {
  const dev = await startDev(data, ...words);
  running.push(dev);
  return dev;
}

describe("coterie dev", () => {
  it("in memory only, says that a node that was killed cannot come back", async () => {
    const dev = await start("--base-port", "0", "--memory");
    expect((await coterie(["dev", "kill", "n2", "--data", data])).exit).toBe(0);
    await until(() => dev.output().includes("n2 died (SIGKILL); what it was and held"));
    const revived = await coterie(["dev", "revive", "n2", "--data", data]);
    expect(revived.exit).toBe(1);
    expect(revived.stderr).toContain("n2 cannot come back");
    expect((await coterie(["put", "k", "v", "--node", nodeUrls(data)[2] ?? ""])).exit).toBe(0);
  });

  it("serves while a node is dead or paused, and stops cleanly", async () => {
    const dev = await start("--base-port", "0");
    const [first = "", , third = ""] = nodeUrls(data);
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
    expect(await dev.stop()).toBe(0);
    expect(nodes.filter(isRunning)).toEqual([]);
    expect(pids()).toEqual([]);
  }, 120_000);

  it("finds its data and its ports again", async () => {
    const before = await start("--base-port", "0");
    const [first = ""] = nodeUrls(data);
    await coterie(["put", "k", "kept", "--node", first]);
    await before.stop();
    await start();
    expect(nodeUrls(data)[0]).toBe(first);
    expect(await coterie(["get", "k", "--node", first])).toMatchObject({ stdout: "kept" });
  });

  it("takes its nodes along when it is killed, paused ones too", async () => {
    const dev = await start("--base-port", "0", "--memory");
    await coterie(["dev", "pause", "n2", "--data", data]);
    const nodes = pids();
    dev.child.kill("SIGKILL");
    await until(() => nodes.every((pid) => !isRunning(pid)));
    expect(nodes).toHaveLength(3);
  });

  it("refuses another shape, a second dev, and unknown nodes", async () => {
    const dev = await start("--base-port", "0");
    const second = await coterie(["dev", "--data", data]);
    expect(second.exit).toBe(1);
    expect(second.stderr).toContain(`in use by \`coterie dev\` with pid ${dev.child.pid}`);
    expect((await coterie(["dev", "kill", "n9", "--data", data])).exit).toBe(2);
    await dev.stop();
    const other = await coterie(["dev", "--data", data, "--nodes", "4"]);
    expect(other.exit).toBe(2);
    expect(other.stderr).toContain("made with --nodes 3");
    expect((await coterie(["dev", "revive", "n1", "--data", data])).exit).toBe(1);
  });

  it.each([
    ["more copies than nodes", ["--n", "4"], "4 copies of every key need 4 nodes"],
    ["quorums that miss writes", ["--r", "1", "--w", "2"], "may miss the last write"],
    ["quorums beyond the copies", ["--w", "4"], "can never be answered"],
  ])("refuses %s", async (_, words, reason) => {
    const refused = await coterie(["dev", "--data", data, "--base-port", "0", ...words]);
    expect(refused.exit).toBe(2);
    expect(refused.stderr).toContain(reason);
    expect(existsSync(join(data, "endpoints.json"))).toBe(false);
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
