import type { NodeApi } from "@coterie/cluster";
import type { Clock, MonotonicMs } from "@coterie/ports";

/** For how long an estimate is good enough, in milliseconds. */
const keptMs = 10_000;
/** Keys counted at most. */
const keysMax = 10_000;
const wholeSpace = 2 ** 64;

export interface KeyspaceSize {
  readonly keys: number;
  /** Of these, how many have a deadline. */
  readonly expiring: number;
  /** All keys were counted; otherwise those in the first part of the hash space were. */
  readonly isCounted: boolean;
  readonly takenAtMs: MonotonicMs;
}

/**
 * About how many keys the bucket holds, for clients that ask for it in passing: counted in a part
 * of the hash space, in which hashes are spread evenly. One walk answers all who ask within ten
 * seconds.
 */
export class KeyspaceEstimate {
  readonly #node: NodeApi;
  readonly #bucket: string;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  #last: Promise<KeyspaceSize | undefined> | undefined;

  constructor(
    node: NodeApi,
    clock: Clock,
    given: { readonly bucket: string; readonly patienceMs: number },
  ) {
    this.#node = node;
    this.#clock = clock;
    this.#bucket = given.bucket;
    this.#patienceMs = given.patienceMs;
  }

  /** `undefined` if too few replicas of the first partition answer. */
  async read(): Promise<KeyspaceSize | undefined> {
    const known = await this.#last;
    const isFresh = known !== undefined && this.#clock.monotonicMs() - known.takenAtMs < keptMs;
    if (isFresh) return known;
    const taken = this.#take();
    this.#last = taken;
    return taken;
  }

  async #take(): Promise<KeyspaceSize | undefined> {
    const place = { cursor: undefined, prefix: undefined, tombstones: false };
    const asked = { ...place, limit: keysMax, patienceMs: this.#patienceMs };
    const page = await this.#node.scan(this.#bucket, asked);
    if (!page.ok) return undefined;
    const { items, cursor } = page;
    const isCounted = cursor === undefined;
    const share = isCounted ? 1 : (Number(`0x${cursor}`) + 1) / wholeSpace;
    const expiring = items.reduce((sum, { expires }) => sum + (expires ? 1 : 0), 0);
    return {
      keys: Math.round(items.length / share),
      expiring: Math.round(expiring / share),
      isCounted,
      takenAtMs: this.#clock.monotonicMs(),
    };
  }
}
