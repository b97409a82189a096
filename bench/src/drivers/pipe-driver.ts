import { Context, Coterie, CoterieError } from "@coterie/client";
import { type Driver, type DriverInput, type Settle, addressesOf } from "./driver.ts";

const timeoutMs = 10_000;

/**
 * Coterie's own client, over Pipe. It sends nothing twice, so that every operation is one call and
 * every failure is seen.
 */
export class PipeDriver implements Driver {
  readonly usesContexts: boolean;
  readonly #coterie: Coterie;

  private constructor(coterie: Coterie, usesContexts: boolean) {
    this.#coterie = coterie;
    this.usesContexts = usesContexts;
  }

  static async open(input: DriverInput): Promise<PipeDriver> {
    return PipeDriver.over(await connect(input, "default"));
  }

  /** In a bucket in which the latest put wins: puts need no context, and clients see one value. */
  static async openLww(input: DriverInput): Promise<PipeDriver> {
    return new PipeDriver(await connect(input, "redis"), false);
  }

  /** With a client of the caller's own settings. */
  static over(coterie: Coterie): PipeDriver {
    return new PipeDriver(coterie, true);
  }

  get(key: string, settle: Settle): void {
    this.#coterie.get(key).then(
      (read) => {
        const value = read.kind === "siblings" ? read.values[0] : undefined;
        settle({
          error: undefined,
          context: read.context?.toString(),
          valueBytes: (read.kind === "value" ? read.value : value)?.length,
        });
      },
      (error: unknown) => settle({ error: kindOf(error) }),
    );
  }

  put(key: string, value: Buffer, context: string | undefined, settle: Settle): void {
    const options = context === undefined ? {} : { context: Context.parse(context) };
    this.#coterie.put(key, value, options).then(
      (written) => settle({ error: undefined, context: written.context?.toString() }),
      (error: unknown) => settle({ error: kindOf(error) }),
    );
  }

  scan(cursor: string, limit: number, settle: Settle): void {
    const from = cursor === "" ? {} : { cursor };
    this.#coterie.scanPage({ ...from, pageSize: limit }).then(
      (page) => settle({ error: undefined, cursor: page.cursor ?? "", keys: page.entries.length }),
      (error: unknown) => settle({ error: kindOf(error) }),
    );
  }

  close(): Promise<void> {
    return this.#coterie.close({ drain: false });
  }
}

async function connect({ addresses }: DriverInput, bucket: string): Promise<Coterie> {
  const nodes = addressesOf(addresses, "grpc");
  const coterie = new Coterie({ nodes, bucket, timeoutMs, retries: false, hedge: false });
  // It connects when it is first used; what is measured begins with connections.
  await coterie.get("bench-hello").catch(() => {});
  return coterie;
}

function kindOf(error: unknown): string {
  return error instanceof CoterieError ? error.code : (error as Error).name;
}
