import type { BatchOperation } from "./call-options.ts";
import type { BatchResult } from "./results.ts";

/** Operations of one batch in flight at once; the others follow as these settle. */
const inFlightMax = 1024;

type Start<Input, Output> = (
  operation: BatchOperation<Input>,
  resolve: (result: BatchResult<Output>) => void,
  reject: (error: unknown) => void,
) => void;

/** Starts every operation and gathers what becomes of each, in their order. */
export function runBatch<Input, Output>(
  operations: readonly BatchOperation<Input>[],
  start: Start<Input, Output>,
): Promise<readonly BatchResult<Output>[]> {
  return new Promise((resolve) => {
    const results: BatchResult<Output>[] = Array.from({ length: operations.length });
    let next = 0;
    let settled = 0;
    let isStarting = false;
    const startMore = (): void => {
      // One that is refused at once settles within its start: the loop goes on, no recursion.
      if (isStarting) return;
      isStarting = true;
      for (; next < operations.length && next - settled < inFlightMax; next += 1) {
        const at = next;
        const operation = operations[at] as BatchOperation<Input>;
        const settle = (result: BatchResult<Output>): void => {
          results[at] = result;
          settled += 1;
          if (settled === operations.length) resolve(results);
          else startMore();
        };
        start(operation, settle, (error) => settle({ ok: false, kind: operation.kind, error }));
      }
      isStarting = false;
    };
    if (operations.length === 0) resolve(results);
    else startMore();
  });
}
