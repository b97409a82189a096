import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const writer = fileURLToPath(new URL("level-writer.js", import.meta.url));
const rounds = 12;

/** Of each key, the last version that was acknowledged. */
type Ledger = Map<number, number>;

interface Round {
  readonly acknowledged: number;
  readonly spills: number;
}

/** Runs the writer, kills it some time after its start, and checks what it held at that. */
async function killed(directory: string, ledger: Ledger, afterMs: number): Promise<Round> {
  const child = spawn(process.execPath, [writer, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let acknowledged = 0;
  let spills = 0;
  const lost: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    const [what, ...words] = line.split(" ");
    const numbers = words.map(Number);
    if (what === "holds") {
      for (const [key, version] of ledger) {
        const found = numbers[key] ?? 0;
        if (found < version) lost.push(`key ${key} holds ${found}, not ${version}`);
      }
      setTimeout(() => child.kill("SIGKILL"), afterMs);
    } else if (what === "acknowledged") {
      acknowledged += 1;
      ledger.set(numbers[0] as number, numbers[1] as number);
    } else spills = numbers[0] as number;
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  expect({ lost, signal: child.signalCode }).toEqual({ lost: [], signal: "SIGKILL" });
  return { acknowledged, spills };
}

it("LevelDB behind a log loses nothing that was acknowledged, whenever it is killed", async () => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-kill-"));
  const ledger: Ledger = new Map();
  let acknowledged = 0;
  let spills = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      // From the first write on to after some spills, a little later each time.
      const outcome = await killed(directory, ledger, ((round * 617) % 2500) + 1);
      acknowledged += outcome.acknowledged;
      spills += outcome.spills;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  expect(acknowledged).toBeGreaterThan(rounds);
  expect(spills).toBeGreaterThan(rounds / 5);
}, 600_000);
