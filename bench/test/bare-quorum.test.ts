import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { builtFile } from "../src/built-file.ts";
import { answerOf, killed } from "../src/child-process.ts";
import { bareQuorumRate } from "../src/measure/bare-quorum.ts";

const program = builtFile("measure/bare-quorum-main.js");
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-bare-quorum-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

it("a bare quorum does some puts, and leaves nothing behind", async () => {
  expect(await bareQuorumRate(directory, 0.1)).toBeGreaterThan(0);
  expect(readdirSync(directory)).toEqual([]);
});

it("a process that has ended does not answer, and need not be killed", async () => {
  const missing = join(directory, "missing");
  const child = fork(program, [missing, "100"], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  await expect(answerOf(child, "a process")).rejects.toThrow("a process ended with 1");
  await killed(child);
  expect(child.exitCode).toBe(1);
});

it("who finds two messages at once answers both", async () => {
  const child = fork(program, [directory, "100"]);
  try {
    const port = Number(await answerOf(child, "a process of a bare quorum"));
    const socket = connect({ port, host: "127.0.0.1" });
    socket.write(Buffer.alloc(200));
    let answered = 0;
    while (answered < 16) {
      const [answer] = (await once(socket, "data")) as [Buffer];
      answered += answer.length;
    }
    expect(answered).toBe(16);
    socket.destroy();
  } finally {
    await killed(child);
  }
});
