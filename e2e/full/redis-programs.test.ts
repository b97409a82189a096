import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileURLToPath } from "node:url";
import { RealCluster } from "../src/real-cluster.ts";
import { type ProgramResult, runProgram } from "../src/redis/run-program.ts";

let cluster: RealCluster;
let ports: readonly string[];

beforeAll(async () => {
  cluster = await RealCluster.start();
  ports = cluster.endpoints.map(({ resp }) => resp.split(":")[1] ?? "");
});
afterAll(() => cluster.stop());

const terminal = fileURLToPath(new URL("redis/at-a-terminal.py", import.meta.url));
const [secondsMax, first] = [60, 0];
const cli = (words: readonly string[], input = "", at = first): Promise<ProgramResult> =>
  runProgram(["redis-cli", "-p", ports[at] ?? "", ...words], { input, secondsMax });

describe("redis-cli", () => {
  it("sets at one node and gets at another, with RESP2 and RESP3", async () => {
    expect((await cli(["set", "greeting", "hello", "ex", "100"])).output).toBe("OK\n");
    expect((await cli(["get", "greeting"], "", 1)).output).toBe("hello\n");
    expect((await cli(["-3", "get", "greeting"], "", 2)).output).toBe("hello\n");
    expect((await cli(["-3", "--no-raw", "get", "nothing"])).output).toBe("(nil)\n");
  });

  it("at a terminal: replies, hints of commands, errors, and an end", async () => {
    const lines = ["set at:tty 'a b'", "get at:tty", "incr at:n", "lpush l x", "help get", "exit"];
    const program = ["redis-cli", "-p", ports[first] ?? "", "--", ...lines];
    const { code, output } = await runProgram(["python3", terminal, ...program], {
      secondsMax,
      environment: { TERM: "xterm", HOME: "/nonexistent" },
    });
    expect([code, output]).toEqual([0, expect.stringContaining("OK")]);
    expect(output).toContain('"a b"');
    expect(output).toContain("(integer) 1");
    expect(output).toContain("(error) ERR");
    expect(output).toContain("summary: The value of a key");
  });

  it("--scan, --bigkeys, --memkeys and --stat", async () => {
    const commands = Array.from(
      { length: 300 },
      (_, at) => `set scan:${at} ${"x".repeat(at + 1)}\n`,
    );
    const written = await cli([], commands.join(""));
    expect(written.output.split("\n").filter((line) => line === "OK")).toHaveLength(300);
    const scanned = await cli(["--scan", "--pattern", "scan:*"]);
    const keys = scanned.output.split("\n").filter((line) => line !== "");
    expect(keys).toHaveLength(300);
    expect(new Set(keys).size).toBe(300);
    const big = await cli(["--bigkeys", "-i", "0"]);
    expect([big.code, big.output]).toEqual([0, expect.stringContaining("scan:299")]);
    expect(big.output).toMatch(/Biggest string found .* has 300 bytes/u);
    const heavy = await cli(["--memkeys", "-i", "0"]);
    expect([heavy.code, heavy.output]).toEqual([0, expect.stringContaining("scan:299")]);
    const program = ["stdbuf", "-oL", "redis-cli", "-p", ports[first] ?? ""];
    const stat = await runProgram([...program, "--stat", "-i", "0.1"], { secondsMax: 6 });
    const samples = stat.output.split("\n").filter((line) => /^\d+\s+\S+\s+\d+/u.test(line));
    expect([samples.length > 1, stat.output]).toEqual([true, expect.any(String)]);
  });

  it("-c follows the slots of a cluster", async () => {
    const { output } = await cli(["-c"], "set {a}1 x\nset {b}1 y\nget {a}1\nget {b}1\n");
    expect(output).toBe("OK\nOK\nx\ny\n");
    const check = await cli(["cluster", "info"]);
    expect(check.output).toContain("cluster_state:ok");
  });

  it("--pipe loads what a file has", async () => {
    const commands = Array.from({ length: 1000 }, (_, at) => {
      const key = `pipe:${at}`;
      return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$1\r\nv\r\n`;
    });
    const { code, output } = await cli(["--pipe"], commands.join(""));
    expect([code, output]).toEqual([0, expect.stringContaining("errors: 0, replies: 1000")]);
  });
});

it("redis-benchmark runs its tests, one by one and in pipelines", async () => {
  const words = ["redis-benchmark", "-p", ports[first] ?? "", "-c", "20", "-n", "2000", "-q"];
  for (const more of [
    ["-P", "1"],
    ["-P", "16"],
    ["-P", "1", "-3"],
  ]) {
    const tests = ["-t", "ping,set,get,incr,mset", "-r", "500", ...more];
    let done: ProgramResult | undefined;
    // It sometimes spins before it has connected: then it is ended, and tried again.
    for (let tries = 0; tries < 3 && done?.code !== 0; tries += 1) {
      done = await runProgram([...words, ...tests], { secondsMax: 30 });
    }
    expect([done?.code, done?.output]).toEqual([0, expect.stringContaining("MSET (10 keys):")]);
    for (const name of ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR"]) {
      expect(done?.output).toMatch(new RegExp(`${name}: \\d+\\.\\d+ requests per second`, "u"));
    }
    expect(done?.output).not.toContain("ERR");
  }
});

it("redis-benchmark meets no error while another node is killed and comes back", async () => {
  const words = ["redis-benchmark", "-p", ports[first] ?? "", "-q", "-c", "20"];
  const load = runProgram([...words, "-n", "40000", "-r", "500", "-t", "set,get"], { secondsMax });
  const answered = async (): Promise<number> => {
    const metrics = await (await fetch(`http://${cluster.doors[first]}/metrics`)).text();
    return Number(
      /^coterie_resp_commands_total\{[^}]*"set"[^}]*\} (\d+)$/mu.exec(metrics)?.[1] ?? 0,
    );
  };
  const before = await answered();
  await expect.poll(answered, { timeout: 30_000 }).toBeGreaterThan(before + 1000);
  await cluster.kill("n3");
  const dead = await answered();
  await expect.poll(answered, { timeout: 30_000 }).toBeGreaterThan(dead + 1000);
  await cluster.revive("n3");
  // It ends at the first error.
  const { code, output } = await load;
  expect([code, output]).toEqual([0, expect.stringContaining("GET: ")]);
}, 120_000);

it("python3-redis: commands, pipelines, locks of WATCH, iteration, a cluster", async () => {
  const script = fileURLToPath(new URL("redis/python-redis.py", import.meta.url));
  const { code, output } = await runProgram(["python3", script, ...ports], { secondsMax });
  expect([code, output]).toEqual([0, expect.stringMatching(/all done\n$/u)]);
});
