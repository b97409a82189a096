import { randomBytes } from "node:crypto";
import { link, open, readFile, readdir, truncate, unlink } from "node:fs/promises";
import { join } from "node:path";
import { processIdentity, unnamed } from "./process-identity.ts";

type SystemError = NodeJS.ErrnoException;

/** Rounds lost to others before giving up; each loss means that another process got further. */
const attemptsMax = 100;

const draftPrefix = "lock.draft-";

/**
 * A lock on a directory, between processes of one machine (and one pid namespace). Node has no
 * flock, so the lock is a file naming its holder: its pid, and which process of that pid.
 *
 * Each holder makes the file of the next generation, `lock.<n>`. The rules:
 * 1. The file of the highest generation names the holder. It is free when its content is empty
 *    (released) or names a process that is gone.
 * 2. Whoever finds generation n free tries to make n + 1 by link(2), which is exclusive and shows
 *    the file with its content or not at all.
 * 3. Whoever made n looks again: if a higher generation exists, it removes its own and starts over.
 * 4. A holder of generation n removes files of generations below n - 1. So whatever generation is
 *    made, a higher one stays from then on if there ever was one; keeping n - 1 as well lets a
 *    listing that runs meanwhile find one of the two.
 *
 * Why two never hold it. Say A made a, B made b, both hold, and b >= a. Was any generation above a
 * made before A looked, then A saw it or a higher one (4) and yielded (3). So the first above a was
 * made later; its maker found a to be the highest, and not free, as it names A, who is alive. Hence
 * b = a; but link allowed only one of them to make that, unless it was removed in between, which
 * takes a generation above it (3, 4).
 *
 * Simply removing a dead holder's lock file and making it anew would not do: between the two steps
 * of one process another may have done both, and loses its lock to the first.
 */
export class DirectoryLock {
  readonly #directory: string;
  #held: string | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Takes the lock, or returns who holds it. Rejects with the system's error. */
  async take(): Promise<string | undefined> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const highest = Math.max(0, ...(await this.#generations()));
      const holder = await this.#holderOf(highest);
      if (holder !== undefined) return holder;
      const path = this.#path(highest + 1);
      if (!(await this.#make(path))) continue;
      const generations = await this.#generations();
      if (Math.max(...generations) > highest + 1) {
        await removeIfThere(path);
        continue;
      }
      this.#held = path;
      await this.#clearUp(generations.filter((generation) => generation < highest));
      return undefined;
    }
    return "others, who take and release it all the time";
  }

  /** Gives the lock back, if it was taken here. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    // Emptied, not removed: see rule 4.
    if (held !== undefined) await truncate(held, 0);
  }

  #path(generation: number): string {
    return join(this.#directory, `lock.${generation}`);
  }

  async #generations(): Promise<readonly number[]> {
    const names = await readdir(this.#directory);
    return names
      .map((name) => /^lock\.([1-9][0-9]{0,14})$/u.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number);
  }

  /** Who holds this generation; `undefined` when it is free. */
  async #holderOf(generation: number): Promise<string | undefined> {
    if (generation === 0) return undefined;
    const content = await readIfThere(this.#path(generation));
    // It is gone only if there is a higher one: making the next fails or yields, and we look again.
    // Unreadable content is what a power failure left, which no process survived.
    const [, digits, recorded] = /^([0-9]+) (\S+)\n$/u.exec(content ?? "") ?? [];
    if (digits === undefined) return undefined;
    const current = await processIdentity(Number(digits));
    if (current === undefined) return undefined;
    const isSame = current === recorded || current === unnamed || recorded === unnamed;
    return isSame ? `process ${digits}` : undefined;
  }

  /** Removes these generations, and the drafts of processes that died making one. */
  async #clearUp(generations: readonly number[]): Promise<void> {
    for (const generation of generations) await removeIfThere(this.#path(generation));
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(draftPrefix)) await removeIfThere(join(this.#directory, name));
    }
  }

  /** Makes a lock file naming this process; false when there is one. */
  async #make(path: string): Promise<boolean> {
    const draft = join(this.#directory, draftPrefix + randomBytes(8).toString("hex"));
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(`${process.pid} ${(await processIdentity(process.pid)) ?? unnamed}\n`);
      await link(draft, path);
      return true;
    } catch (error) {
      const { code } = error as SystemError;
      // Another made it, or removed our draft since it has the lock by now.
      if (code === "EEXIST" || code === "ENOENT") return false;
      throw error;
    } finally {
      await file.close();
      await removeIfThere(draft);
    }
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as SystemError).code === "ENOENT") return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as SystemError).code !== "ENOENT") throw error;
  }
}
