import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RealCluster } from "../src/real-cluster.ts";
import { debianSource } from "../src/redis/debian-source.ts";
import { runProgram } from "../src/redis/run-program.ts";

/** They push to a list and read it. */
const usesLists = ["Can parse multi bulk replies", "Can handle nested multi bulk replies"];

/** Tries: the program gives up on answers after 10 ms, and machines pause for longer. */
const triesMax = 10;

let cluster: RealCluster;
let directory: string;
let relay: Server;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "coterie-hiredis-"));
  const config = join(directory, "config.json");
  // It gives FLUSHDB 10 ms, for which a walk through many partitions is too long.
  writeFileSync(config, JSON.stringify({ partitions: 1, respFlush: true }));
  const one = ["--nodes", "1", "--memory", "--config", config];
  cluster = await RealCluster.start({ arguments: one });
});
afterAll(async () => {
  relay.close();
  await cluster.stop();
  rmSync(directory, { recursive: true });
});

/** The program tests Unix sockets too, which the door has not: this passes bytes on. */
function listenAt(path: string, port: number): Promise<Server> {
  const server = createServer((local) => {
    const remote = connect(port, "127.0.0.1");
    local.pipe(remote).pipe(local);
    local.on("error", () => remote.destroy());
    remote.on("error", () => local.destroy());
  });
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

it("hiredis' own test program, from Debian's source package", async () => {
  const port = Number(cluster.endpoints[0]?.resp.split(":")[1]);
  const path = join(directory, "redis.sock");
  relay = await listenAt(path, port);
  const tree = debianSource("hiredis");
  const built = await runProgram(["make", "hiredis-test"], { cwd: tree, secondsMax: 120 });
  expect(built).toMatchObject({ code: 0 });
  const target = ["-h", "127.0.0.1", "-p", String(port), "-s", path];
  let failed: readonly string[] = [];
  for (let tries = 0; tries < triesMax; tries += 1) {
    // A try that was given up leaves its keys.
    await runProgram(["redis-cli", "-p", String(port), "flushall"], { secondsMax: 10 });
    // Throughput is measured with a list.
    const program = ["stdbuf", "-o0", join(tree, "hiredis-test")];
    const words = [...program, ...target, "--skip-throughput"];
    const { output } = await runProgram(words, { cwd: tree, secondsMax: 60 });
    if (!/TESTS FAILED|ALL TESTS PASSED/u.test(output)) continue;
    const verdicts = [...output.matchAll(/^#\d+ (.*): (PASSED|FAILED)$/gmu)];
    expect(verdicts.length).toBeGreaterThan(60);
    failed = verdicts.filter(([, , verdict]) => verdict === "FAILED").map(([, name = ""]) => name);
    if (failed.every((name) => usesLists.includes(name))) break;
  }
  // Over TCP, over the socket, and over an inherited connection.
  expect(failed).toEqual([...usesLists, ...usesLists, ...usesLists]);
});
