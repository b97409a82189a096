import type { NodeId, PeerAddress } from "../ids.ts";
import type { FlapDamping } from "./flap-damping.ts";
import type { GossipedState, News } from "./news.ts";
import type { RoundTrip } from "./round-trip.ts";
import type { Suspicion } from "./suspicion.ts";

/** Integers only; the port `Random` is one. */
export interface RandomSource {
  below(bound: number): number;
}

/** What this node knows of one member. */
export interface MemberRecord {
  readonly id: NodeId;
  address: PeerAddress;
  state: GossipedState;
  incarnation: number;
  /** When the state began, on this process's clock. */
  since: number;
  /** Who said so. */
  by: NodeId;
  /** False while nothing at all was heard from or of it. */
  isHeard: boolean;
  /** It says less of itself than is known of it, and must be told. */
  isOutdated: boolean;
  /** Until when it is held as a suspect although it says that it is alive. */
  heldUntil: number;
  suspicion: Suspicion | undefined;
  roundTrip: RoundTrip | undefined;
  damping: FlapDamping | undefined;
  /** This record's part of the table's digest. */
  digest: number;
}

/** The members of the cluster document with what is known of each, this node among them. */
export class MemberTable {
  readonly self: MemberRecord;
  readonly #records = new Map<NodeId, MemberRecord>();
  readonly #random: RandomSource;
  /** The others, in the order in which they are probed. */
  #others: MemberRecord[] = [];
  #cursor = 0;
  #digest = 0;

  constructor(self: NodeId, address: PeerAddress, random: RandomSource) {
    this.#random = random;
    this.self = newRecord(self, address);
    this.self.isHeard = true;
    this.#records.set(self, this.self);
    this.#digest = this.self.digest;
  }

  /** Members, this node included. */
  get size(): number {
    return this.#records.size;
  }

  /** Equal for tables that agree on who is there, in which life. Suspicions do not count. */
  get digest(): number {
    return this.#digest;
  }

  get(id: NodeId): MemberRecord | undefined {
    return this.#records.get(id);
  }

  records(): Iterable<MemberRecord> {
    return this.#records.values();
  }

  others(): readonly MemberRecord[] {
    return this.#others;
  }

  add(id: NodeId, address: PeerAddress): MemberRecord {
    const record = newRecord(id, address);
    this.#records.set(id, record);
    this.#digest = (this.#digest ^ record.digest) >>> 0;
    // At a random place, so that those who are added together are not probed in one order.
    const at = this.#random.below(this.#others.length + 1);
    this.#others.push(record);
    swap(this.#others, at, this.#others.length - 1);
    return record;
  }

  remove(record: MemberRecord): void {
    this.#records.delete(record.id);
    this.#digest = (this.#digest ^ record.digest) >>> 0;
    this.#others = this.#others.filter((other) => other !== record);
  }

  set(record: MemberRecord, news: Pick<News, "state" | "incarnation" | "by">, since: number): void {
    if (record.state !== news.state) record.since = since;
    record.state = news.state;
    record.incarnation = news.incarnation;
    record.by = news.by;
    const digest = digestOf(record);
    this.#digest = (this.#digest ^ record.digest ^ digest) >>> 0;
    record.digest = digest;
  }

  /** Round robin over a shuffled list (SWIM section 4.3): nobody waits for long to be probed. */
  nextToProbe(): MemberRecord | undefined {
    for (let tried = 0; tried < this.#others.length; tried += 1) {
      if (this.#cursor >= this.#others.length) this.#shuffle();
      const record = this.#others[this.#cursor];
      this.#cursor += 1;
      if (record !== undefined && !isDown(record)) return record;
    }
    return undefined;
  }

  /** Up to `count` of the others, each with equal chance, among those that `accepts`. */
  choose(count: number, accepts: (record: MemberRecord) => boolean): MemberRecord[] {
    const others = this.#others;
    const chosen: MemberRecord[] = [];
    // Few of many: drawing is cheaper than listing whom to draw from.
    for (let draws = 3 * count; draws > 0 && others.length > 3 * count; draws -= 1) {
      const record = others[this.#random.below(others.length)];
      if (record === undefined || chosen.includes(record) || !accepts(record)) continue;
      if (chosen.push(record) === count) return chosen;
    }
    const rest = others.filter((record) => !chosen.includes(record) && accepts(record));
    while (chosen.length < count && rest.length > 0) {
      const [drawn] = rest.splice(this.#random.below(rest.length), 1);
      if (drawn !== undefined) chosen.push(drawn);
    }
    return chosen;
  }

  #shuffle(): void {
    this.#cursor = 0;
    for (let at = this.#others.length - 1; at > 0; at -= 1) {
      swap(this.#others, at, this.#random.below(at + 1));
    }
  }
}

/** Dead, or left. */
export function isDown(record: Pick<MemberRecord, "state">): boolean {
  return record.state === "dead" || record.state === "left";
}

function newRecord(id: NodeId, address: PeerAddress): MemberRecord {
  const record: MemberRecord = {
    id,
    address,
    state: "alive",
    incarnation: 0,
    since: 0,
    by: id,
    isHeard: false,
    isOutdated: false,
    heldUntil: 0,
    suspicion: undefined,
    roundTrip: undefined,
    damping: undefined,
    digest: 0,
  };
  record.digest = digestOf(record);
  return record;
}

function swap(records: MemberRecord[], left: number, right: number): void {
  const moved = records[left] as MemberRecord;
  records[left] = records[right] as MemberRecord;
  records[right] = moved;
}

/** FNV-1a of the id, then the life mixed in by MurmurHash3's finalizer: parts do not cancel out. */
function digestOf({ id, incarnation, state }: MemberRecord): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  const life = state === "dead" ? 1 : state === "left" ? 2 : 0;
  hash ^= Math.imul(incarnation * 3 + life + 1, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
