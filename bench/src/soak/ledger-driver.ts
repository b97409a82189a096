import { type Context, type Coterie, CoterieError } from "@coterie/client";
import type { Settle } from "../drivers/driver.ts";
import type { Asked } from "../failover/doors.ts";
import type { Obligations } from "./obligations.ts";

/** What is known of a key: a context, and the writes that it covers. */
interface Known {
  readonly context: Context | undefined;
  readonly covers: readonly number[];
}

const valueBytes = 100;

/**
 * Puts and gets through the client as it is, each put with a value that tells which one it was, and
 * with the context of the one before. Whoever uses it has one put of a key under way at a time.
 */
export class LedgerDriver implements Asked {
  readonly #coterie: Coterie;
  readonly #obligations: Obligations;
  /** Of a key that is not here but was written, nothing is known: it is read first. */
  readonly #known = new Map<string, Known>();
  readonly #written = new Set<string>();

  constructor(coterie: Coterie, obligations: Obligations) {
    this.#coterie = coterie;
    this.#obligations = obligations;
  }

  get(key: string, settle: Settle): void {
    this.#coterie.get(key).then(
      () => settle({ error: undefined }),
      (error: unknown) => settle({ error: codeOf(error) }),
    );
  }

  put(key: string, _value: Buffer, _context: string | undefined, settle: Settle): void {
    this.#put(key).then(
      () => settle({ error: undefined }),
      (error: unknown) => settle({ error: codeOf(error) }),
    );
  }

  close(): Promise<void> {
    return this.#coterie.close({ drain: false });
  }

  async #put(key: string): Promise<void> {
    if (this.#written.has(key) && !this.#known.has(key)) await this.#learn(key);
    const { context, covers } = this.#known.get(key) ?? { context: undefined, covers: [] };
    this.#written.add(key);
    const serial = this.#obligations.begin(key, covers);
    const options = context === undefined ? {} : { context };
    const result = await this.#coterie.put(key, valueOf(key, serial), options);
    this.#obligations.acknowledge(key, serial);
    // None comes with siblings: a write that failed has happened after all.
    if (result.context === undefined) this.#known.delete(key);
    else this.#known.set(key, { context: result.context, covers: [serial] });
  }

  async #learn(key: string): Promise<void> {
    const { context, serials } = await readSerials(this.#coterie, key);
    this.#known.set(key, { context, covers: serials });
  }
}

/** The numbers of the writes that a key holds; fails where a value is none that was written. */
export async function readSerials(
  coterie: Coterie,
  key: string,
): Promise<{ readonly context: Context | undefined; readonly serials: readonly number[] }> {
  const read = await coterie.get(key);
  const values = read.kind === "absent" ? [] : read.kind === "value" ? [read.value] : read.values;
  return { context: read.context, serials: values.map((value) => serialOf(key, value)) };
}

function valueOf(key: string, serial: number): Buffer {
  return Buffer.from(`${key}:${serial}:`.padEnd(valueBytes, "x"));
}

function serialOf(key: string, value: Uint8Array): number {
  const text = Buffer.from(value).toString();
  const serial = Number(text.slice(key.length + 1).split(":")[0]);
  if (!text.startsWith(`${key}:`) || !Number.isSafeInteger(serial)) {
    throw new Error(`${key} holds what nobody wrote: ${text.slice(0, 40)}`);
  }
  return serial;
}

function codeOf(error: unknown): string {
  if (error instanceof CoterieError) return error.code;
  throw error;
}
