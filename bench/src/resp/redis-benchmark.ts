import { spawn } from "node:child_process";
import { once } from "node:events";

/** How redis-benchmark puts a server under load. */
export interface RespLoad {
  readonly address: string;
  readonly command: "set" | "get";
  readonly connections: number;
  /** Commands that a connection sends before it waits for their answers. */
  readonly pipeline: number;
  readonly requests: number;
  /** Keys are drawn from so many. */
  readonly keys: number;
  readonly valueBytes: number;
}

/** What redis-benchmark found. */
export interface RespResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** It is known to spin for ever when it cannot connect. */
const patienceMs = 120_000;

/** Runs Redis' own load generator against a server. */
export async function redisBenchmark(program: string, load: RespLoad): Promise<RespResult> {
  const [host = "", port = ""] = load.address.split(":");
  const words = ["-h", host, "-p", port, "-t", load.command, "--csv"];
  words.push("-c", `${load.connections}`, "-P", `${load.pipeline}`, "-n", `${load.requests}`);
  words.push("-r", `${load.keys}`, "-d", `${load.valueBytes}`);
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  if (code !== 0) throw new Error(`redis-benchmark ended with ${code ?? "a signal"}:\n${text}`);
  return parseCsv(text);
}

/** Of the line `"SET","rps","avg","min","p50","p95","p99","max"`, times in milliseconds. */
export function parseCsv(text: string): RespResult {
  const lines = text.split("\n").filter((line) => line.startsWith('"'));
  const titles = cells(lines[0] ?? "");
  const values = cells(lines.at(-1) ?? "");
  const valueOf = (title: string): number => {
    const value = Number(values[titles.indexOf(title)]);
    if (!Number.isFinite(value)) throw new Error(`redis-benchmark says no ${title}:\n${text}`);
    return value;
  };
  return {
    perSecond: valueOf("rps"),
    p50Ms: valueOf("p50_latency_ms"),
    p99Ms: valueOf("p99_latency_ms"),
  };
}

function cells(line: string): readonly string[] {
  return line.split(",").map((cell) => cell.replaceAll('"', ""));
}
