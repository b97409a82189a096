import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** The next message of a process; fails if it ends before, and says that `name` has. */
export async function answerOf(child: ChildProcess, name: string): Promise<unknown> {
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`${name} ended with ${String(code ?? signal)}`);
  });
  // Once it has answered, it may end.
  ended.catch(() => undefined);
  const [answer]: unknown[] = await Promise.race([once(child, "message"), ended]);
  return answer;
}

/** Kills a process, and waits until it has ended; it may have ended long before. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
