// What a request between two nodes costs without anything behind it: two processes on loopback, one
// asking with 100-byte values and one answering at once, beside an echo of as many bytes over bare
// TCP in the same batches. Prints CPU of both processes per operation, and the ratio of the two.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import type { PeerRequest } from "@coterie/cluster";
import type { PeerAddress } from "@coterie/core";
import { NodeRandom, PeerNetwork, PeerServer, SystemClock } from "@coterie/server";
import { ownCpuMicros } from "./measure/process-usage.ts";

/** Sends `operations`, at most `inFlight` at a time; resolves when all were answered. */
type Load = (operations: number, inFlight: number) => Promise<void>;

interface Ports {
  readonly peer: number;
  readonly echo: number;
}

interface Cost {
  readonly microsPerOperation: number;
  readonly thousandsPerSecond: number;
}

/** An encoded record with a 16-byte key and a value of 100 bytes takes about this. */
const recordBytes = 150;
/** And so many more in its batch. */
const frameBytes = 35;
const callMs = 10_000;
const rounds = 3;

async function serve(): Promise<void> {
  const server = new PeerServer({
    clock: new SystemClock(),
    receive: (_request, _deadline, settle) => settle({ kind: "merged", changed: true }),
  });
  const listening = await server.listen("127.0.0.1", 0);
  if (!listening.ok) throw new Error(listening.message);
  const echo = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  process.on("message", () => process.send?.(ownCpuMicros()));
  process.on("disconnect", () => process.exit());
  const ports: Ports = { peer: listening.port, echo: (echo.address() as AddressInfo).port };
  process.send?.(ports);
}

function peerLoad(network: PeerNetwork, clock: SystemClock, port: number): Load {
  const to = `127.0.0.1:${port}` as PeerAddress;
  const record = new Uint8Array(recordBytes);
  const stamp = { epoch: 1, tag: 0xc0ffee };
  const request: PeerRequest = { kind: "merge", stamp, fence: 0, record };
  return (operations, inFlight) =>
    new Promise((resolve, reject) => {
      let sent = 0;
      let answered = 0;
      const ask = (): void => {
        sent += 1;
        network.call(to, request, clock.monotonicMs() + callMs, (reply) => {
          answered += 1;
          if (!reply.ok) reject(new Error(reply.reason));
          else if (sent < operations) ask();
          else if (answered === operations) resolve();
        });
      };
      while (sent < inFlight) ask();
    });
}

async function echoLoad(port: number): Promise<Load> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.unref();
  const size = recordBytes + frameBytes;
  return (operations, inFlight) =>
    new Promise((resolve) => {
      const batch = Buffer.alloc(size * inFlight);
      let sent = inFlight;
      let bytes = 0;
      let answered = 0;
      const receive = (chunk: Buffer): void => {
        bytes += chunk.length;
        const whole = Math.floor(bytes / size) - answered;
        answered += whole;
        const next = Math.min(whole, operations - sent);
        sent += next;
        if (next > 0) socket.write(batch.subarray(0, next * size));
        if (answered < operations) return;
        socket.off("data", receive);
        resolve();
      };
      socket.on("data", receive);
      socket.write(batch);
    });
}

async function cpuMicrosOf(child: ChildProcess): Promise<number> {
  child.send("cpu");
  const [micros] = await once(child, "message");
  return Number(micros) + ownCpuMicros();
}

async function costOf(child: ChildProcess, load: Load, inFlight: number): Promise<Cost> {
  const operations = inFlight === 1 ? 20_000 : 400_000;
  await load(operations / 4, inFlight);
  const cpuBefore = await cpuMicrosOf(child);
  const started = performance.now();
  await load(operations, inFlight);
  const ms = performance.now() - started;
  const cpu = (await cpuMicrosOf(child)) - cpuBefore;
  return { microsPerOperation: cpu / operations, thousandsPerSecond: operations / ms };
}

async function measure(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ["serve"]);
  const [ports]: Ports[] = await once(child, "message");
  if (ports === undefined) throw new Error("the answering process said nothing");
  const clock = new SystemClock();
  const network = new PeerNetwork({ clock, random: new NodeRandom() });
  const peer = peerLoad(network, clock, ports.peer);
  const echo = await echoLoad(ports.echo);
  process.stdout.write("in flight | peer stream us/op, kops/s | TCP echo us/op, kops/s | ratio\n");
  for (const inFlight of [1, 64, 256]) {
    for (let round = 0; round < rounds; round += 1) {
      const ours = await costOf(child, peer, inFlight);
      const bare = await costOf(child, echo, inFlight);
      const ratio = ours.microsPerOperation / bare.microsPerOperation;
      process.stdout.write(`${inFlight} | ${text(ours)} | ${text(bare)} | ${ratio.toFixed(1)}\n`);
    }
  }
  network.close();
  child.disconnect();
}

function text({ microsPerOperation, thousandsPerSecond }: Cost): string {
  return `${microsPerOperation.toFixed(2)}, ${thousandsPerSecond.toFixed(0)}`;
}

await (process.argv[2] === "serve" ? serve() : measure());
