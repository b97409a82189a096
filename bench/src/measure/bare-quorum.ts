import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { builtFile } from "../built-file.ts";
import { answerOf, killed } from "../child-process.ts";

/** V8 has compiled by then what little there is. */
const warmUpSeconds = 1;
const messageBytes = 100;

/**
 * Puts per second of one client that waits for each, of three processes of Node with nothing in
 * them but a socket and a file: a message to one of them, from there to the two others, synced by
 * all, answered when two have. What wakes processes and syncs disks takes this long on a machine,
 * whatever a store does besides.
 */
export async function bareQuorumRate(directory: string, seconds: number): Promise<number> {
  const program = builtFile("measure/bare-quorum-main.js");
  const files = mkdtempSync(join(directory, "bare-quorum-"));
  const words = [files, String(messageBytes)];
  const children = Array.from({ length: 3 }, () => fork(program, words, { execArgv: [] }));
  const portOf = async (child: ChildProcess): Promise<number> =>
    Number(await answerOf(child, "a process of a bare quorum"));
  try {
    const [first = 0, ...others] = await Promise.all(children.map(portOf));
    children[0]?.send(others);
    return await rateOf(first, seconds);
  } finally {
    await Promise.all(children.map(killed));
    rmSync(files, { recursive: true });
  }
}

function rateOf(port: number, seconds: number): Promise<number> {
  const message = Buffer.alloc(messageBytes, 1);
  let count = 0;
  const startedMs = performance.now() + warmUpSeconds * 1000;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject);
    socket.on("data", () => {
      const nowMs = performance.now();
      if (nowMs >= startedMs) count += 1;
      if (nowMs < startedMs + seconds * 1000) socket.write(message);
      else {
        socket.destroy();
        resolve((count * 1000) / (nowMs - startedMs));
      }
    });
    // The others are connected to meanwhile.
    setTimeout(() => socket.write(message), 100);
  });
}
