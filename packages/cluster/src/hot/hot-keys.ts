import {
  FrequentKeys,
  type Key,
  type NodeId,
  type Ring,
  Thinning,
  type Token,
} from "@coterie/core";
import type { Clock, Network } from "@coterie/ports";
import { askPeer } from "../ask-peer.ts";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import type { CoordinationTuning } from "../coordinator/coordination-tuning.ts";
import { CopyCache } from "./copy-cache.ts";
import { RecentReads } from "./recent-reads.ts";
import type { HotTable, HotTables, HotView } from "./hot-view.ts";
import { mergeTables } from "./merge-tables.ts";

/** A key with more than 1/256 of the requests is always among those that are counted. */
const keysMax = 256;

/** Keys of one table that a node tells, at most: of the longest keys that is 200 KB. */
export const hotKeysMax = 100;

/** After so many milliseconds a request counts half: what is hot now, and not what was. */
const halfLifeMs = 10_000;

/** Bytes of the records that are kept of keys held elsewhere. */
const copyBytesMax = 16 * 1024 * 1024;

/** Bytes of what reads have found, kept for gets that take what was true a while ago. */
const recentBytesMax = 16 * 1024 * 1024;

/** How long a member may take to say what it counted, in milliseconds. */
const patienceMs = 1000;

/** From so many gets a second on, surely counted here, a key is hot. */
const hotReadsPerSecondDefault = 10;

interface HotKeysParts {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly tuning: Pick<CoordinationTuning, "hotReadsPerSecond">;
  ring(): Ring;
}

/**
 * Which keys clients ask this node for most, of reads and of writes. Each request is counted by the
 * node that a client asked, and by no other one. Of many requests some are drawn: at 40 000 a
 * second counting takes 20 nanoseconds of each.
 */
export class HotKeys {
  /** Records of keys that are read a lot here and held elsewhere. */
  readonly copies: CopyCache = new CopyCache(copyBytesMax);
  /** What reads of such keys have found, for gets that allow it to be of a while ago. */
  readonly recent: RecentReads = new RecentReads(recentBytesMax);
  readonly #parts: HotKeysParts;
  readonly #clock: Clock;
  readonly #reads = new CountedRow(1);
  readonly #writes = new CountedRow(2);
  #turn = 0;

  constructor(parts: HotKeysParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
  }

  noteRead(placed: Key & { readonly token: Token }): void {
    if (this.#reads.passes()) this.#reads.count(placed, this.#clock.monotonicMs());
  }

  /** True of a key that clients get from this node many times a second. */
  isReadOften({ token }: { readonly token: Token }): boolean {
    const least = this.#parts.tuning.hotReadsPerSecond ?? hotReadsPerSecondDefault;
    return this.#reads.perSecond(token, this.#clock.monotonicMs()) >= least;
  }

  /** A number that goes up by one each time, so that what goes by it takes turns. */
  nextTurn(): number {
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return this.#turn;
  }

  noteWrite(placed: Key & { readonly token: Token }): void {
    if (this.#writes.passes()) this.#writes.count(placed, this.#clock.monotonicMs());
  }

  /** What clients asked all members for: those that answer are asked now, and added up. */
  async view(limit: number): Promise<HotView> {
    const { self } = this.#parts;
    const { document, stamp } = this.#parts.ring();
    const others = document.members.filter(({ id }) => id !== self);
    const asked = others.map((member) =>
      askPeer(this.#parts, member, { kind: "ask-hot-keys", stamp }, patienceMs),
    );
    const tables: HotTables[] = [this.tables()];
    const answered: NodeId[] = [self];
    const silent: NodeId[] = [];
    for (const [at, { id }] of others.entries()) {
      const response = await asked[at];
      if (response?.kind !== "hot-keys") silent.push(id);
      else {
        tables.push(response);
        answered.push(id);
      }
    }
    const merged = (of: keyof HotTables): HotTable =>
      mergeTables(
        tables.map((each) => each[of]),
        limit,
      );
    return {
      halfLifeMs,
      answered: answered.toSorted(),
      silent,
      reads: merged("reads"),
      writes: merged("writes"),
    };
  }

  /** What clients asked this node for; of the keys asked for most at most {@link hotKeysMax}. */
  tables(): HotTables {
    const nowMs = this.#clock.monotonicMs();
    return { reads: this.#reads.table(nowMs), writes: this.#writes.table(nowMs) };
  }
}

/** Counts what is drawn of a row of requests. */
class CountedRow {
  readonly #frequent = new FrequentKeys({ keysMax, halfLifeMs });
  readonly #thinning: Thinning;

  constructor(seed: number) {
    this.#thinning = new Thinning(seed);
  }

  passes(): boolean {
    return this.#thinning.passes();
  }

  count(placed: Key & { readonly token: Token }, nowMs: number): void {
    this.#frequent.add(placed.token, placed, this.#thinning.draw(nowMs), nowMs);
  }

  /** At least so many requests of the key come in a second. */
  perSecond(token: Token, nowMs: number): number {
    return this.#frequent.perSecond(this.#frequent.sure(token, nowMs));
  }

  table(nowMs: number): HotTable {
    const { total, floor, keys } = this.#frequent.read(hotKeysMax, nowMs);
    const rate = (count: number): number => this.#frequent.perSecond(count);
    return {
      perSecond: rate(total),
      floorPerSecond: rate(floor),
      keys: keys.map(({ bucket, key, count, error }) => {
        return { bucket, key, perSecond: rate(count), errorPerSecond: rate(error) };
      }),
    };
  }
}
