import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a node's process says of itself. */
export interface ProbeReading {
  /** The most processor time between two turns of its event loop, since the last reading. */
  readonly longestMs: number;
  /** Memory in use after a collection. */
  readonly liveBytes: number;
  readonly rssBytes: number;
}

const bin = fileURLToPath(import.meta.resolve("coterie/bin/coterie.js"));
const probe = new URL("../../dist/hostile/loop-probe.js", import.meta.url).href;
/** Bytes of heap: what outgrows it ends the process. */
const heapMbMax = 512;

/** One real node by itself, in memory, with a probe in its process. */
export class WatchedNode {
  readonly http: string;
  readonly grpcPort: number;
  readonly peerPort: number;
  readonly #child: ChildProcess;
  readonly #output: () => string;

  private constructor(child: ChildProcess, output: () => string) {
    this.#child = child;
    this.#output = output;
    const { http, grpc, peer } = JSON.parse(output().split("\n")[0] ?? "") as Record<
      string,
      string
    >;
    this.http = http ?? "";
    this.grpcPort = Number(grpc?.split(":")[1]);
    this.peerPort = Number(peer?.split(":")[1]);
  }

  /** @param planted a module that the process runs beside the node: a bug to be seen. */
  static async start(planted?: string): Promise<WatchedNode> {
    const nodeFlags = ["--expose-gc", `--max-old-space-size=${heapMbMax}`, "--import", probe];
    if (planted !== undefined) nodeFlags.push("--import", planted);
    const doors = ["--http", "--grpc", "--resp", "--peer"].flatMap((door) => [door, "127.0.0.1:0"]);
    const child = spawn(
      process.execPath,
      [...nodeFlags, bin, "start", "--id", "n1", "--memory", "--partitions", "8", ...doors],
      { stdio: ["ignore", "ignore", "pipe", "ipc"] },
    );
    let output = "";
    const isReady = new Promise<void>((resolve, reject) => {
      child.stderr?.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('"msg":"ready"')) resolve();
      });
      child.once("exit", () => reject(new Error(`the node ended at its start:\n${output}`)));
    });
    await isReady;
    return new WatchedNode(child, () => output);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Lines that the node logged as errors, or that are no log at all. */
  get complaints(): readonly string[] {
    return this.#output()
      .split("\n")
      .filter((line) => line !== "" && !/^\{"level":[1-4]0,/u.test(line));
  }

  /** An attacker who fills the log fills the disk. */
  get logBytes(): number {
    return this.#output().length;
  }

  async read(): Promise<ProbeReading> {
    const answer = once(this.#child, "message");
    this.#child.send("probe");
    const [reading] = (await answer) as [ProbeReading];
    return reading;
  }

  /** A value is written and read back: whatever happened, the node serves. */
  async serves(): Promise<boolean> {
    if (!this.isRunning) return false;
    const url = `http://${this.http}/v1/buckets/default/keys/k`;
    const put = await fetch(url, { method: "PUT", body: "v" });
    const get = await fetch(`${url}?r=1`, { headers: { Accept: "application/json" } });
    await get.arrayBuffer();
    return put.status === 204 && (get.status === 200 || get.status === 300);
  }

  async stop(): Promise<number | null> {
    if (!this.isRunning) return this.#child.exitCode;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
    return this.#child.exitCode;
  }
}
