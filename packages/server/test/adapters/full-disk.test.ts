import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DiskOutcome, File, Settle } from "@coterie/ports";
import { afterAll, expect, it } from "vitest";
import { NodeDisk } from "../../src/adapters/node-disk.ts";

const directory = mkdtempSync(join(tmpdir(), "coterie-full-"));
const isMounted = mountSmall();

/** Mounting takes root, and more than a container's root has. */
function mountSmall(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], { stdio: "pipe" });
    return true;
  } catch (error) {
    console.warn(`NOT TESTED: a full disk, for want of a small file system: ${String(error)}`);
    return false;
  }
}

afterAll(() => {
  if (isMounted) execFileSync("umount", [directory]);
  rmSync(directory, { recursive: true });
});

function outcomeOf<Value>(start: (settle: Settle<Value>) => void): Promise<DiskOutcome<Value>> {
  return new Promise((resolve) => start(resolve));
}

it.runIf(isMounted)("a disk that fills up says so, and has room again afterwards", async () => {
  const disk = new NodeDisk(directory);
  const opened = await outcomeOf<File>((settle) => disk.open("file", "create", settle));
  if (!opened.ok) throw new Error(opened.message);
  const file = opened.value;
  const write = (position: number): Promise<DiskOutcome> =>
    outcomeOf<void>((settle) => disk.write(file, position, new Uint8Array(700_000), settle));
  expect(await write(0)).toEqual({ ok: true, value: undefined });
  const free = await outcomeOf<number>((settle) => disk.free(settle));
  expect(free.ok && free.value < 400_000).toBe(true);
  expect(await write(700_000)).toMatchObject({ ok: false, error: "full" });
  await outcomeOf<void>((settle) => disk.truncate(file, 0, settle));
  expect(await write(0)).toEqual({ ok: true, value: undefined });
  await outcomeOf<void>((settle) => disk.close(file, settle));
});
