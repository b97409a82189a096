import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectoryLock } from "../../src/adapters/directory-lock.ts";
import { processIdentity } from "../../src/adapters/process-identity.ts";

let directory = "";
let sleeper: ChildProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "coterie-lock-"));
});

afterEach(async () => {
  sleeper?.kill("SIGKILL");
  sleeper = undefined;
  await rm(directory, { recursive: true });
});

/** The number of another process, which does nothing until it is killed. */
async function startSleeper(): Promise<number> {
  sleeper = spawn("sleep", ["60"]);
  await once(sleeper, "spawn");
  return sleeper.pid as number;
}

async function writeLock(generation: number, pid: number, identity: string): Promise<void> {
  await writeFile(join(directory, `lock.${generation}`), `${pid} ${identity}\n`);
}

describe("the lock of a directory", () => {
  it("is refused while the holder lives, and taken over when it was killed", async () => {
    const pid = await startSleeper();
    await writeLock(7, pid, (await processIdentity(pid)) as string);
    expect(await new DirectoryLock(directory).take()).toBe(`process ${pid}`);
    const exited = once(sleeper as ChildProcess, "exit");
    sleeper?.kill("SIGKILL");
    await exited;
    expect(await new DirectoryLock(directory).take()).toBeUndefined();
  });

  it("is taken over when another process has the holder's number by now", async () => {
    const identity = (await processIdentity(process.pid)) as string;
    await writeLock(
      1,
      process.pid,
      identity.replace(/^./u, (digit) => (digit === "1" ? "2" : "1")),
    );
    expect(await new DirectoryLock(directory).take()).toBeUndefined();
  });

  it("is free when a power failure left rubbish in it", async () => {
    await writeFile(join(directory, "lock.3"), "\0\0\0\0");
    expect(await new DirectoryLock(directory).take()).toBeUndefined();
  });

  it("goes to one of many that find the same dead holder, however they interleave", async () => {
    for (let round = 0; round < 20; round++) {
      await writeLock(1000 * (round + 1), 2 ** 22 + 1, "dead");
      const locks = Array.from({ length: 8 }, () => new DirectoryLock(directory));
      const holders = await Promise.all(locks.map((lock) => lock.take()));
      expect(holders.filter((holder) => holder === undefined)).toHaveLength(1);
      await Promise.all(locks.map((lock) => lock.release()));
    }
  });

  it("leaves few files behind", async () => {
    await writeFile(join(directory, "lock.draft-0123456789abcdef"), "");
    for (let round = 0; round < 10; round++) {
      const lock = new DirectoryLock(directory);
      expect(await lock.take()).toBeUndefined();
      await lock.release();
    }
    expect((await readdir(directory)).length).toBeLessThanOrEqual(2);
  });
});

describe("the identity of a process", () => {
  it("is the same each time, differs between processes, and ends with the process", async () => {
    const pid = await startSleeper();
    const identity = await processIdentity(pid);
    expect(identity).toBeDefined();
    expect(await processIdentity(pid)).toBe(identity);
    const exited = once(sleeper as ChildProcess, "exit");
    sleeper?.kill("SIGKILL");
    await exited;
    expect(await processIdentity(pid)).toBeUndefined();
  });
});
