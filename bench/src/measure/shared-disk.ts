import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { answerOf } from "../child-process.ts";

/**
 * fdatasync calls per second that each of `processes` reaches when all sync at once. Nodes of a
 * cluster on one machine share its disk, and a put is synced by all of them together: this, not
 * what one process reaches alone, is the pace of a client that waits for each.
 */
export async function sharedFdatasyncRate(
  directory: string,
  processes: number,
  seconds: number,
): Promise<number> {
  const program = fileURLToPath(new URL("fdatasync-main.js", import.meta.url));
  const children = Array.from({ length: processes }, () =>
    fork(program, [directory, String(seconds)], { execArgv: [] }),
  );
  const answer = (child: ChildProcess): Promise<unknown> =>
    answerOf(child, "a process that measures the disk");
  try {
    await Promise.all(children.map(answer));
    const rates = children.map(async (child) => Number(await answer(child)));
    for (const child of children) child.send("go");
    const sum = (await Promise.all(rates)).reduce((total, rate) => total + rate, 0);
    return sum / processes;
  } finally {
    for (const child of children) child.kill();
  }
}
