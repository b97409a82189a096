import type { AntiEntropySettings, HandoffSettings, ReapingSettings } from "@coterie/cluster";
import type { RequestMode } from "@coterie/core";
import { type FaultKind, faultKinds, fenceKinds } from "./faults/kinds.ts";
import { SeededRandom } from "./random.ts";

/** What one bucket of a run is like. */
export interface BucketKnobs {
  readonly name: string;
  readonly policy: "siblings" | "lww";
  readonly n: number;
  readonly r: number;
  readonly w: number;
  /** Left out: strict. */
  readonly mode?: RequestMode;
  /** How long a value lives whose put does not say. */
  readonly ttlMs?: number;
}

/** How often, of a thousand times, clients do what they do; operations are weights. */
export interface ClientKnobs {
  readonly get: number;
  readonly put: number;
  readonly delete: number;
  /** Gets that ask one replica only. */
  readonly weakGets: number;
  /** Writes without the context that the client holds. */
  readonly blind: number;
  /** Writes with a context that is not the client's newest. */
  readonly stale: number;
  /** Writes with the context of another key, which must be refused. */
  readonly foreign: number;
  /** Puts under a write id. */
  readonly identified: number;
  /** Identified puts that are sent again although they were acknowledged. */
  readonly repeated: number;
  /** Retries that come seconds later. */
  readonly late: number;
  readonly ifAbsent: number;
  readonly returnBody: number;
  /** Puts that say how long their values live. */
  readonly expiring: number;
  /** Operations whose outcome the client does not wait for. */
  readonly abandoned: number;
  /** Deletes without a context. */
  readonly blindDeletes: number;
  /** Operations after which a client rests for a while. */
  readonly rests: number;
  /** Gets that take what was true a while ago; left out: none. */
  readonly staleGets?: number;
  /** Operations that ask for the mode that is not the bucket's; left out: none. */
  readonly otherMode?: number;
}

/** What the network does to messages all the time, until all is healed. Of a thousand messages. */
export interface WeatherKnobs {
  readonly latencyMsMax: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly late: number;
}

/**
 * All that a seed decides about a run, before it begins: plain data. A run is determined by seed
 * and knobs, and each kind of fault draws from a stream of its own, so that a run with one knob
 * changed resembles the run without.
 */
export interface SwarmKnobs {
  readonly nodes: number;
  /** Q. */
  readonly partitions: number;
  readonly buckets: readonly BucketKnobs[];
  readonly clients: number;
  readonly operations: number;
  /** If given, only these of the operations are carried out, by number from 1. */
  readonly kept?: readonly number[] | undefined;
  /** Contended keys, in all buckets together. */
  readonly keys: number;
  /** Of a thousand operations, how many go to the hot keys. */
  readonly skew: number;
  /** The first so many keys; left out, 2. */
  readonly hotKeys?: number | undefined;
  readonly valueBytesMax: number;
  readonly habits: ClientKnobs;
  readonly weather: WeatherKnobs;
  /** How often each kind of fault strikes; what is not named never does. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly driftPerMillionMax: number;
  readonly segmentBytes: number;
  readonly cacheBytes: number;
  readonly hedgeAfterMs: number;
  readonly handoff: HandoffSettings;
  /** An interval of 0: copies are compared only after crashes. */
  readonly antiEntropy: AntiEntropySettings;
  /** Left out, tombstones stay. */
  readonly reaping?: ReapingKnobs | undefined;
  /** Left out, the members stay those that formed the cluster. */
  readonly topology?: TopologyKnobs | undefined;
  /** Scans of whole buckets while things go wrong. */
  readonly scans: number;
  /** From so many gets a second on nodes keep records of others; left out, 10: none does. */
  readonly hotReadsPerSecond?: number | undefined;
  /** Records of one key that are under way to one node before others wait; left out, 8. */
  readonly recordsUnderWayMax?: number | undefined;
  /** How long nodes keep what has expired; left out, a minute. */
  readonly keepExpiredMs?: number | undefined;
}

/** How members come and go. */
export interface TopologyKnobs {
  /** Joins, leaves and replacements, one after the other. */
  readonly changes: number;
  /** One of the nodes that formed the cluster dies for good first, and is replaced. */
  readonly burns?: boolean;
  /** Who know nothing of each other; left out: one. */
  readonly operators?: number;
  /** Of a thousand changes, how many are given up again; left out: none. */
  readonly aborts?: number;
  /** Of a thousand changes, how many are made to stand still for a while; left out: none. */
  readonly pauses?: number;
}

/** How tombstones are reaped. */
export interface ReapingKnobs extends ReapingSettings {
  /** How long clients rest halfway, so that something is. */
  readonly lullMs: number;
  /** Of the operations before that rest, how many are mostly deletes; left out: none. */
  readonly farewells?: number;
}

/** Where the knobs do not say. */
export const hotKeysUsual = 2;

const nodesDrawn = [3, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9];
const copiesDrawn = [1, 2, 3, 3, 3, 3, 3, 4, 5];

/** These need sloppy requests, reaping, or nodes that go. */
const drawnApart: ReadonlySet<FaultKind> = new Set([
  "split",
  "guests-die",
  "leaver-cut",
  "left-behind",
  ...fenceKinds,
]);
/** Nobody's process ends by these, nor is anything lost. */
const harmless: readonly FaultKind[] = [
  "pause",
  "cut",
  "partition",
  "dead-stream",
  "slow-peer",
  "slow-disk",
  "clock-jump",
];

const handoffBytesPerSecondLeast = 64 * 1024;

/** The knobs of a seed. */
export function drawKnobs(seed: number): SwarmKnobs {
  const knobs = drawTopology(new SeededRandom(seed).fork("topology"), drawOfMembers(seed));
  const former = drawFormerOwners(new SeededRandom(seed).fork("former-owners"), knobs);
  const aimed = drawEmptied(new SeededRandom(seed).fork("emptied"), former);
  const hot = drawHot(new SeededRandom(seed).fork("hot"), aimed);
  const contended = drawContended(new SeededRandom(seed).fork("contended"), hot);
  const isAimed = aimed !== knobs || knobs.faults.wear !== undefined;
  return isAimed ? contended : drawCrowd(new SeededRandom(seed).fork("crowd"), contended);
}

/** Runs that aim at nothing have so many times the clients that were drawn for them. */
const crowdsDrawn = [1, 2, 4, 8, 16];

function drawCrowd(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  const times = pick(random, crowdsDrawn);
  return times === 1 ? knobs : crowded(knobs, times);
}

/**
 * So many times as many clients, on as many more keys, so that a key is as contended as before, and
 * as much more may be paid and compared: what strikes meets more, or less, that is under way.
 */
export function crowded(knobs: SwarmKnobs, times: number): SwarmKnobs {
  const { handoff, antiEntropy, reaping, hotKeys = hotKeysUsual } = knobs;
  const sized = (count: number): number => Math.round(count * times);
  return {
    ...knobs,
    clients: Math.max(1, sized(knobs.clients)),
    operations: sized(knobs.operations),
    keys: sized(knobs.keys),
    hotKeys: sized(hotKeys),
    handoff: { ...handoff, bytesPerSecond: sized(handoff.bytesPerSecond) },
    antiEntropy: { ...antiEntropy, bytesPerSecond: sized(antiEntropy.bytesPerSecond) },
    ...(reaping?.farewells !== undefined && {
      reaping: { ...reaping, farewells: sized(reaping.farewells) },
    }),
  };
}

/** In two of three runs writes share records where few are under way already. */
function drawContended(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  const recordsUnderWayMax = pick(random, [1, 2, undefined]);
  return recordsUnderWayMax === undefined ? knobs : { ...knobs, recordsUnderWayMax };
}

/** In half of the runs every key is hot. What else a seed draws does not depend on it. */
function drawHot(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  if (!random.chance(500)) return knobs;
  const habits = random.chance(400) ? { ...knobs.habits, staleGets: 300 } : knobs.habits;
  return { ...knobs, hotReadsPerSecond: 0, habits };
}

/** In a quarter of the runs members come and go. What else a seed draws does not depend on it. */
function drawTopology(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  const hasLost = faultKinds.some(({ name, losesCopies }) => losesCopies && knobs.faults[name]);
  if (!random.chance(250) || hasLost || knobs.nodes > 6) return knobs;
  const changes = 1 + random.below(3);
  // What an acknowledged write has on w nodes may be lost on w − 1 of them.
  const burns = copiesToLose(knobs.buckets) > 0 && knobs.nodes > 2 && random.chance(300);
  // Who is dead for good stays a member where its removal is given up, or another change waits
  // for what it has.
  if (burns) return { ...knobs, topology: { changes, burns } };
  const operators = random.chance(300) ? { operators: 2 } : {};
  const aborts = random.chance(300) ? { aborts: 600 } : {};
  const pauses = random.chance(300) ? { pauses: 600 } : {};
  return { ...knobs, topology: { changes, ...operators, ...aborts, ...pauses } };
}

/**
 * A few runs aim at who was an owner a moment ago: at what it took when nobody else heard of it,
 * and at who goes by the owners from before. All that is asked is spread over few keys, two of
 * them hot, and over time, as whoever asks a process that stands still waits for it.
 */
function drawFormerOwners(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  if (!random.chance(160) || knobs.reaping !== undefined || knobs.nodes > 6) return knobs;
  const isSloppy = random.chance(300);
  const mode = isSloppy ? ("sloppy" as const) : ("strict" as const);
  const n = isSloppy || random.chance(500) ? 1 : 2;
  // One copy that is out of date is enough to be read, and one to be lost.
  const buckets = knobs.buckets.map((bucket) => ({ ...bucket, n, w: n, r: 1, mode }));
  const habits = { ...knobs.habits, otherMode: 0, rests: 700, get: 500, put: 500 };
  // Little else, mostly: the fewer links fail, the sooner a partition has moved.
  const others = random.chance(300) ? drawHarmless(random) : { "clock-jump": 3, "dead-stream": 3 };
  const faults = { [isSloppy ? "leaver-cut" : "left-behind"]: 4, ...others };
  // What fallbacks hold is there in the end only if it is handed over.
  const bytesPerSecond = knobs.handoff.bytesPerSecond || handoffBytesPerSecondLeast;
  const handoff = { ...knobs.handoff, bytesPerSecond };
  const nodes = Math.max(knobs.nodes, 4);
  const few = { nodes, partitions: 8, clients: 20, keys: 10, skew: 500, topology: { changes: 4 } };
  return { ...knobs, ...few, buckets, habits, faults, handoff };
}

/** A few runs believe whom they ask first, and one of those comes back with an empty disk. */
function drawEmptied(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  const isTaken = knobs.reaping !== undefined || knobs.topology !== undefined;
  if (!random.chance(60) || isTaken) return knobs;
  const n = 2 + random.below(2);
  const mode = "strict" as const;
  const buckets = knobs.buckets.map((bucket) => ({ ...bucket, n, w: n, r: 1, mode }));
  const faults = { wipe: 1, ...drawHarmless(random) };
  // It takes a while until others give it its place back.
  const habits = { ...knobs.habits, otherMode: 0, rests: 700, get: 600 };
  return { ...knobs, clients: 5, buckets, faults, habits };
}

/** The knobs of a seed, where the members stay. */
function drawOfMembers(seed: number): SwarmKnobs {
  const knobs = drawReaping(new SeededRandom(seed).fork("reaping"), drawWithTombstones(seed));
  return drawFences(new SeededRandom(seed).fork("fences"), knobs);
}

/**
 * Most runs in which tombstones are reaped aim at that: at what arrives after it, at clocks that
 * grow while an owner misses what they say, at crashes in its midst.
 */
function drawFences(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  if (knobs.reaping === undefined) return knobs;
  // What is under way to a process does not reach the one that takes its place.
  const isCalm = random.chance(250);
  const faults = isCalm ? drawHarmless(random) : { ...knobs.faults };
  if (isCalm || random.chance(400)) faults.echo = 1 + random.below(3);
  if (random.chance(250)) faults["power-at-reaping"] = 1 + random.below(2);
  const farewells = random.chance(700) ? 10 + random.below(40) : 0;
  const aimed = { ...knobs, faults, reaping: { ...knobs.reaping, farewells } };
  const isStrict = knobs.habits.otherMode === undefined;
  if (!isStrict || !random.chance(500)) return aimed;
  // Only a read may bring the copies of who was away together, and few keys are read then.
  const handoff = { ...knobs.handoff, bytesPerSecond: 0 };
  const antiEntropy = { ...knobs.antiEntropy, intervalMs: 0 };
  return { ...aimed, faults: { ...faults, wear: 1 }, handoff, antiEntropy, skew: 500 };
}

/**
 * In two of five runs tombstones are reaped, after longer than any request may be under way: so no
 * client repeats a write late.
 */
function drawReaping(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  if (!random.chance(400)) return knobs;
  const graceMs = pick(random, [4000, 6000, 10_000]);
  const reaping = { graceMs, lullMs: graceMs * 2 + random.below(12_000) };
  const deletes = Math.max(knobs.habits.delete, 100 + random.below(300));
  return { ...knobs, reaping, habits: { ...knobs.habits, late: 0, delete: deletes } };
}

/** The knobs of a seed, where tombstones stay. */
function drawWithTombstones(seed: number): SwarmKnobs {
  const knobs = drawModes(new SeededRandom(seed).fork("modes"), drawStrict(seed));
  return drawWipe(new SeededRandom(seed).fork("wipe"), knobs);
}

/** Of ten runs in which one copy may be lost two lose one with its whole directory. */
function drawWipe(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  const hasLost = faultKinds.some(({ name, losesCopies }) => losesCopies && knobs.faults[name]);
  if (!random.chance(200) || hasLost || copiesToLose(knobs.buckets) === 0) return knobs;
  return { ...knobs, faults: { ...knobs.faults, wipe: 1 } };
}

/** Of two runs one has no sloppy request. What else a seed draws does not depend on it. */
function drawModes(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  if (random.chance(500)) return knobs;
  const buckets = knobs.buckets.map((bucket) => ({
    ...bucket,
    mode: random.chance(700) ? ("sloppy" as const) : ("strict" as const),
  }));
  const otherMode = pick(random, [0, 100, 100, 400]);
  const splits = random.chance(400) ? { split: 1 + random.below(2) } : {};
  const faults = { ...knobs.faults, ...splits };
  // What fallbacks hold is there for strict reads only once it has been handed over.
  const bytesPerSecond = knobs.handoff.bytesPerSecond || handoffBytesPerSecondLeast;
  const handoff = { ...knobs.handoff, bytesPerSecond };
  const sloppy = { ...knobs, buckets, habits: { ...knobs.habits, otherMode }, faults, handoff };
  const owners = Math.max(...buckets.map(({ n }) => n));
  return knobs.nodes > owners && random.chance(200) ? drawGuests(random, sloppy) : sloppy;
}

/**
 * Guests end, and hardly anybody else: owners compare their copies after a crash and now and then,
 * and so would find what guests have failed to tell. With few partitions most nodes own nothing.
 */
function drawGuests(random: SeededRandom, knobs: SwarmKnobs): SwarmKnobs {
  const faults = { "guests-die": 2 + random.below(2), ...drawHarmless(random) };
  const buckets = knobs.buckets.map((bucket) => ({ ...bucket, w: 1, r: bucket.n }));
  const antiEntropy = { ...knobs.antiEntropy, intervalMs: 0 };
  return { ...knobs, partitions: 1 + random.below(2), buckets, antiEntropy, faults };
}

function drawHarmless(random: SeededRandom): Partial<Record<FaultKind, number>> {
  const faults: Partial<Record<FaultKind, number>> = {};
  const left = [...harmless];
  for (let kinds = 2 + random.below(3); kinds > 0; kinds -= 1) {
    const [kind] = left.splice(random.below(left.length), 1);
    if (kind !== undefined) faults[kind] = 2 + random.below(4);
  }
  return faults;
}

/** The knobs of a seed, where all is strict. */
function drawStrict(seed: number): SwarmKnobs {
  const knobs = drawImmortal(seed);
  // A stream of its own: the other knobs of a seed are the same with and without it.
  const random = new SeededRandom(seed).fork("expiry");
  if (!random.chance(300)) return knobs;
  return {
    ...knobs,
    buckets: knobs.buckets.map((bucket) =>
      random.chance(200) ? { ...bucket, ttlMs: pick(random, [1000, 5000, 30_000]) } : bucket,
    ),
    habits: { ...knobs.habits, expiring: 100 + random.below(800) },
    keepExpiredMs: pick(random, [200, 2000, 60_000, 60_000]),
  };
}

/** The knobs of a seed, where nothing expires. */
function drawImmortal(seed: number): SwarmKnobs {
  const random = new SeededRandom(seed).fork("knobs");
  const nodes = pick(random, nodesDrawn);
  const buckets = [drawBucket(random, "default", nodes)];
  if (random.chance(500)) buckets.push(drawBucket(random, "second", nodes));
  const isStormy = random.chance(500);
  return {
    nodes,
    partitions: pick(random, [1, 2, 5, 8, 8, 16, 32]),
    buckets,
    clients: 3 + random.below(8),
    operations: 300 + random.below(200),
    keys: 10 + random.below(10),
    skew: pick(random, [0, 200, 500]),
    valueBytesMax: pick(random, [8, 8, 8, 100, 100, 3000]),
    habits: drawHabits(random),
    weather: {
      latencyMsMax: pick(random, [2, 5, 20]),
      lost: isStormy ? random.below(60) : 0,
      duplicated: random.below(80),
      late: isStormy ? random.below(20) : 0,
    },
    faults: drawFaults(random, buckets),
    driftPerMillionMax: pick(random, [0, 100, 20_000]),
    segmentBytes: pick(random, [16, 64, 64]) * 1024,
    cacheBytes: pick(random, [4, 4, 64]) * 1024,
    hedgeAfterMs: pick(random, [5, 30, 30]),
    scans: 1 + random.below(3),
    handoff: drawHandoff(new SeededRandom(seed).fork("knobs/handoff")),
    antiEntropy: drawAntiEntropy(new SeededRandom(seed).fork("knobs/anti-entropy")),
  };
}

function drawBucket(random: SeededRandom, name: string, nodes: number): BucketKnobs {
  const n = Math.min(nodes, pick(random, copiesDrawn));
  const policy = random.chance(300) ? "lww" : "siblings";
  const majority = Math.floor(n / 2) + 1;
  const dice = random.below(10);
  if (dice < 6) return { name, policy, n, r: majority, w: majority };
  const w = 1 + random.below(n);
  // Now and then quorums that need not meet: then nothing is promised of reads but what they hold.
  const r = dice < 9 ? n - w + 1 : 1 + random.below(n);
  return { name, policy, n, r, w };
}

/** Now and then nothing is paid: then comparing or read repair brings copies together. */
function drawHandoff(random: SeededRandom): HandoffSettings {
  const bytesPerSecond = pick(random, [0, 10_000, 100_000, 1_000_000, 1_000_000, 1_000_000]);
  return { bytesPerSecond, keysMax: pick(random, [2, 10, 1000, 1000]) };
}

/** In two of five runs copies are not compared: then what is owed must do. */
function drawAntiEntropy(random: SeededRandom): AntiEntropySettings {
  const intervalMs = pick(random, [0, 0, 2000, 10_000, 60_000]);
  return { intervalMs, bytesPerSecond: pick(random, [50_000, 1_000_000, 1_000_000]) };
}

function drawHabits(random: SeededRandom): ClientKnobs {
  const upTo = (most: number): number => (random.chance(300) ? 0 : random.below(most));
  return {
    get: 100 + random.below(500),
    put: 300 + random.below(500),
    delete: upTo(200),
    weakGets: upTo(100),
    // Many siblings cost much and show little: they are rare.
    blind: pick(random, [0, 50, 50, 100, 100, 400]),
    stale: pick(random, [0, 50, 50, 100, 100, 400]),
    foreign: upTo(50),
    identified: random.below(1001),
    repeated: upTo(200),
    late: upTo(300),
    ifAbsent: upTo(100),
    returnBody: upTo(200),
    expiring: 0,
    abandoned: upTo(100),
    blindDeletes: upTo(500),
    rests: 20 + random.below(60),
  };
}

/** Of what an acknowledged write has on w nodes one copy at least must stay. */
function copiesToLose(buckets: readonly BucketKnobs[]): number {
  return Math.min(...buckets.map(({ w }) => w)) - 1;
}

function drawFaults(random: SeededRandom, buckets: readonly BucketKnobs[]): SwarmKnobs["faults"] {
  const faults: Partial<Record<FaultKind, number>> = {};
  const left = faultKinds.filter(({ name, losesCopies }) => !losesCopies && !drawnApart.has(name));
  for (let kinds = 3 + random.below(6); kinds > 0; kinds -= 1) {
    const [kind] = left.splice(random.below(left.length), 1);
    if (kind !== undefined) faults[kind.name] = 2 + random.below(4);
  }
  // What an acknowledged write has on w nodes may be lost on w − 1 of them. At one node: which of
  // them lost what is not known before.
  const losing = faultKinds.filter(({ losesCopies }) => losesCopies);
  if (copiesToLose(buckets) > 0 && random.chance(400)) faults[pick(random, losing).name] = 1;
  return faults;
}

function pick<Item>(random: SeededRandom, items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item;
}
