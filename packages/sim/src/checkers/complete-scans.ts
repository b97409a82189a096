import type { Checker, ClientScan, History } from "../history.ts";

/**
 * A scan of a whole bucket returns no key twice, none that was never put, and every key that was
 * there throughout: put and acknowledged before the scan began, by primaries that it must have met,
 * and not deleted or expired before it ended.
 */
export const completeScans: Checker = (history) =>
  history.scans.flatMap((scan) =>
    faultsOf(history, scan).map((detail) => ({
      checker: "complete-scans",
      key: scan.bucket,
      detail: `a scan from ${scan.invokedMs} ms to ${scan.settledMs} ms ${detail}`,
    })),
  );

function faultsOf(history: History, scan: ClientScan): readonly string[] {
  const returned = new Set<string>();
  const faults: string[] = [];
  for (const key of scan.keys) {
    if (returned.has(key)) faults.push(`returned ${key} twice`);
    else if (!mayHoldSomething(history, key, scan)) {
      faults.push(`returned ${key}, never put, or expired by then`);
    }
    returned.add(key);
  }
  for (const key of history.keys()) {
    const isInside = key.startsWith(`${scan.bucket}/`);
    if (!isInside || returned.has(key) || history.forgottenSince(key) <= scan.settledMs) continue;
    const put = writtenThroughout(history, key, scan);
    if (put !== undefined) faults.push(`did not return ${key}, which held ${put} throughout`);
  }
  return faults;
}

function mayHoldSomething(history: History, key: string, scan: ClientScan): boolean {
  return history
    .writesOf(key)
    .some(
      ({ kind, number, outcome, invokedMs }) =>
        kind === "put" &&
        outcome !== "refused" &&
        invokedMs <= scan.settledMs &&
        history.goneBy(number) >= scan.invokedMs,
    );
}

/** A put that was acknowledged before the scan, and that nothing may have deleted by its end. */
function writtenThroughout(history: History, key: string, scan: ClientScan): number | undefined {
  return history
    .writesOf(key)
    .find(
      (write) =>
        write.kind === "put" &&
        write.outcome === "ok" &&
        write.settledMs < scan.invokedMs &&
        history.meets(key, write.holders, scan.asked) &&
        !history.mayHaveEnded(write, scan.settledMs),
    )?.number;
}
