/** What became of one call. */
export interface Answer {
  /** Undefined: it succeeded. Otherwise the kind of the failure. */
  readonly error: string | undefined;
  /** Of a read or a write, where the store has such a thing and gave one. */
  readonly context?: string | undefined;
  /** Of a read: bytes of the value, or undefined if there is none. */
  readonly valueBytes?: number | undefined;
  /** Of a scan: where it goes on; empty at the end. */
  readonly cursor?: string;
  /** Of a scan. */
  readonly keys?: number;
}

export type Settle = (answer: Answer) => void;

/**
 * Speaks one protocol to one store. Every call is an operation of its own with its own answer;
 * `settle` is called exactly once, and never within the call.
 */
export interface Driver {
  /** Updates without the context of what they replace would pile up siblings. */
  readonly usesContexts: boolean;
  get(key: string, settle: Settle): void;
  put(key: string, value: Buffer, context: string | undefined, settle: Settle): void;
  /** Some `limit` keys from `cursor` on; empty: from the beginning. */
  scan(cursor: string, limit: number, settle: Settle): void;
  close(): Promise<void>;
}

/** Where a store listens, `host:port` by door. */
export type Addresses = Readonly<Record<string, readonly string[]>>;

export interface DriverInput {
  readonly addresses: Addresses;
  /** Connections to use where each carries one call at a time. */
  readonly connections: number;
}

/** `host:port` taken apart. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** The addresses of a door that must be there. */
export function addressesOf(addresses: Addresses, door: string): readonly string[] {
  const found = addresses[door];
  if (found === undefined || found.length === 0) throw new Error(`no address for ${door} is known`);
  return found;
}
