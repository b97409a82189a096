import { setTimeout as sleep } from "node:timers/promises";
import { type Coterie, CoterieError } from "@coterie/client";

const tickMs = 10;

export interface ClientLoadOptions {
  readonly operationsPerSecond: number;
  readonly durationMs: number;
  /** Called once, after this long. */
  readonly at: { readonly ms: number; readonly act: () => Promise<void> };
}

export interface ClientLoadFailure {
  readonly error: CoterieError;
  /** The operation's number, and that of the next one when it failed. */
  readonly number: number;
  readonly begunWhenItFailed: number;
}

export interface ClientLoadResult {
  readonly begun: number;
  readonly failures: readonly ClientLoadFailure[];
  /** Puts that were acknowledged: the last value of each key. */
  readonly acknowledged: ReadonlyMap<string, string>;
}

/**
 * Puts and gets at a steady rate, whatever becomes of those before: what a program with many users
 * does. Keys are written once each, and read by chance.
 */
export async function runClientLoad(
  coterie: Coterie,
  { operationsPerSecond, durationMs, at }: ClientLoadOptions,
): Promise<ClientLoadResult> {
  const failures: ClientLoadFailure[] = [];
  const acknowledged = new Map<string, string>();
  const pending = new Set<Promise<void>>();
  const begunMs = performance.now();
  let begun = 0;
  let acted: Promise<void> | undefined;
  const follow = (operation: Promise<unknown>, done: () => void = () => {}): void => {
    const number = begun;
    const followed = operation.then(done, (error: unknown) => {
      if (!(error instanceof CoterieError)) throw error;
      failures.push({ error, number, begunWhenItFailed: begun });
    });
    pending.add(followed);
    void followed.finally(() => pending.delete(followed));
  };
  for (;;) {
    const elapsedMs = performance.now() - begunMs;
    if (elapsedMs >= durationMs) break;
    if (elapsedMs >= at.ms) acted ??= at.act();
    for (const due = (elapsedMs / 1000) * operationsPerSecond; begun < due; begun += 1) {
      const key = `load/${begun}`;
      if (begun % 2 === 0) {
        follow(coterie.put(key, key), () => acknowledged.set(key, key));
      } else follow(coterie.get(`load/${(begun * 7919) % (begun + 1)}`));
    }
    await sleep(tickMs);
  }
  await Promise.all(pending);
  await acted;
  return { begun, failures, acknowledged };
}

/**
 * Workers that put a key and read it again, one operation after the other, as long as `act` takes:
 * no more is asked than the machine can do, however busy it is.
 */
export async function runWorkers(
  coterie: Coterie,
  { workers, act }: { readonly workers: number; readonly act: () => Promise<void> },
): Promise<Omit<ClientLoadResult, "failures"> & { readonly failures: readonly CoterieError[] }> {
  const failures: CoterieError[] = [];
  const acknowledged = new Map<string, string>();
  let begun = 0;
  let isOver = false;
  const work = async (): Promise<void> => {
    while (!isOver) {
      const key = `load/${begun}`;
      begun += 1;
      try {
        await coterie.put(key, key);
        acknowledged.set(key, key);
        await coterie.get(key);
      } catch (error) {
        if (!(error instanceof CoterieError)) throw error;
        failures.push(error);
      }
    }
  };
  const working = Array.from({ length: workers }, work);
  try {
    await act();
  } finally {
    isOver = true;
    await Promise.all(working);
  }
  return { begun, failures, acknowledged };
}
