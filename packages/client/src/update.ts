import type { DeleteOptions, GetOptions, PutOptions, UpdateOptions } from "./call-options.ts";
import type { Context } from "./context.ts";
import { CoterieError } from "./coterie-error.ts";
import type { Engine } from "./engine/engine.ts";
import type { Read, UpdateResult, WriteResult } from "./results.ts";

const roundsMaxDefault = 8;
/** Before another round, at most, times the rounds so far: two that met must not meet again. */
const pauseMsMax = 10;

/** What an update needs of its bucket. */
export interface UpdatedBucket<Input, Output> {
  get(key: Uint8Array | string, options: GetOptions): Promise<Read<Output>>;
  put(key: Uint8Array | string, value: Input, options: PutOptions): Promise<WriteResult>;
  delete(key: Uint8Array | string, options: DeleteOptions): Promise<WriteResult>;
}

export interface UpdateInput<Input, Output> {
  readonly bucket: UpdatedBucket<Input, Output>;
  readonly engine: Engine;
  readonly key: Uint8Array | string;
  readonly resolve: (values: readonly Output[]) => Input | undefined | Promise<Input | undefined>;
  readonly options: UpdateOptions;
}

interface Round<Input> {
  readonly value: Input | undefined;
  readonly context: Context | undefined;
  readonly standsAlone: boolean;
}

/** Reads, resolves and writes until the written value stands alone. */
export async function update<Input, Output>(
  input: UpdateInput<Input, Output>,
  timeoutMs: () => number,
): Promise<UpdateResult<Input>> {
  const { engine, options } = input;
  const deadlineMs = engine.clock.monotonicMs() + timeoutMs();
  const { signal, roundsMax = roundsMaxDefault } = options;
  for (let rounds = 1; rounds <= roundsMax; rounds += 1) {
    const written = await round(input, deadlineMs).catch((error: unknown) => {
      throw rounds === 1 ? error : afterAWrite(error);
    });
    if (written.standsAlone) {
      const { value, context } = written;
      return { value, context, rounds };
    }
    await engine.pause(pauseMsMax * rounds * engine.random.fraction(), signal);
  }
  const message = `other writers wrote in each of ${roundsMax} rounds`;
  throw new CoterieError({ code: "conflict", message, outcome: "unknown" });
}

async function round<Input, Output>(
  { bucket, engine, key, resolve, options }: UpdateInput<Input, Output>,
  deadlineMs: number,
): Promise<Round<Input>> {
  const { signal, retries, strict, ttlMs, expiresAt } = options;
  const left = (): GetOptions => {
    const timeoutMs = deadlineMs - engine.clock.monotonicMs();
    if (timeoutMs > 1) return { timeoutMs, signal, retries, strict };
    throw new CoterieError({ code: "timeout", message: "the time for the update is over" });
  };
  const read = await bucket.get(key, left());
  const { context } = read;
  const value = await resolve(valuesOf(read));
  if (value === undefined && read.kind === "absent") return { value, context, standsAlone: true };
  const written: WriteResult =
    value === undefined
      ? await bucket.delete(key, { ...left(), context })
      : await bucket.put(key, value, { ...left(), context, ttlMs, expiresAt });
  const standsAlone = written.siblings <= 1 && written.context !== undefined;
  return { value, context: written.context, standsAlone };
}

/** An earlier round wrote: whoever hears of the failure must know. */
function afterAWrite(error: unknown): unknown {
  if (!(error instanceof CoterieError) || error.outcome === "unknown") return error;
  const { code, acks, issues } = error;
  const message = `in a later round of the update: ${error.message}`;
  return new CoterieError({ code, message, acks, issues, outcome: "unknown", cause: error });
}

function valuesOf<Output>(read: Read<Output>): readonly Output[] {
  if (read.kind === "absent") return [];
  return read.kind === "value" ? [read.value] : read.values;
}
