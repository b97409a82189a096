import type { MembershipEvent } from "@coterie/core";
import { OperationBatch } from "@coterie/protocol";
import { VirtualCluster, randomness } from "./virtual-cluster.ts";

/** All times in milliseconds of virtual time. */
export interface Death {
  /** From the moment the member fell silent to the first suspicion anywhere. */
  readonly suspectedMs: number;
  /** From then to the first node that takes it for dead. */
  readonly confirmedMs: number;
  /** From the first confirmation to the last node's knowledge. */
  readonly spreadMs: number;
}

export interface TrialsInput {
  readonly members: number;
  readonly lossPerMille: number;
  readonly trials: number;
  readonly seed: number;
}

const warmUpMs = 5000;
/** More than the longest suspicion takes in a cluster of a thousand. */
const deathMsMax = 120_000;

/** Kills one member after the other, each once everybody knows of the one before. */
export function deaths({ members, lossPerMille, trials, seed }: TrialsInput): Death[] {
  let victim = -1;
  let suspectedAt: number | undefined;
  const knownAt: number[] = [];
  const onEvent = (_at: number, event: MembershipEvent, now: number): void => {
    if (event.kind !== "suspected" && event.kind !== "dead") return;
    if (cluster.place(event.id) !== victim) return;
    if (event.kind === "suspected") suspectedAt ??= now;
    else knownAt.push(now);
  };
  const cluster = new VirtualCluster({ members, seed, lossPerMille, onEvent });
  cluster.run(warmUpMs);
  const random = randomness(seed + 1);
  const alive = Array.from({ length: members }, (_, at) => at);
  const found: Death[] = [];
  while (found.length < trials) {
    victim = alive.splice(random.below(alive.length), 1)[0] as number;
    suspectedAt = undefined;
    knownAt.length = 0;
    cluster.run(random.below(1000));
    const killedAt = cluster.now;
    cluster.kill(victim);
    while (knownAt.length < alive.length && cluster.now < killedAt + deathMsMax) cluster.run(10);
    const first = knownAt[0] ?? Infinity;
    const suspected = suspectedAt ?? Infinity;
    const last = knownAt.length < alive.length ? Infinity : Math.max(...knownAt);
    found.push({
      suspectedMs: suspected - killedAt,
      confirmedMs: first - suspected,
      spreadMs: last - first,
    });
  }
  return found;
}

export interface IdleTraffic {
  readonly messagesPerSecond: number;
  /** As the wire format encodes them. */
  readonly bytesPerSecond: number;
  /** With a header of each protocol below, as if each message were a packet of its own. */
  readonly packetBytesPerSecond: number;
}

/** Of a batch, gRPC, HTTP/2, TCP with timestamps, IPv4 and Ethernet. */
const headerBytes = 9 + 5 + 9 + 32 + 20 + 14;

/** What one member sends while nothing happens; it receives as much. */
export function idleTraffic(members: number, seconds: number, seed: number): IdleTraffic {
  const batch = new OperationBatch();
  let isCounting = false;
  let messages = 0;
  let bytes = 0;
  const cluster = new VirtualCluster({
    members,
    seed,
    onMessage: (message) => {
      if (!isCounting) return;
      messages += 1;
      bytes += batch.add(messages, 1, { kind: "membership", cluster: 0xffff_ffff, message });
      batch.clear();
    },
  });
  cluster.run(warmUpMs);
  isCounting = true;
  cluster.run(seconds * 1000);
  const share = members * seconds;
  return {
    messagesPerSecond: messages / share,
    bytesPerSecond: bytes / share,
    packetBytesPerSecond: (bytes + messages * headerBytes) / share,
  };
}

export interface Pause {
  /** From the moment the member stood still to the first suspicion anywhere. */
  readonly suspectedMs: number;
  /** From the moment it went on until everybody took it for alive again. */
  readonly clearedMs: number;
  /** Whether anybody declared it dead. */
  readonly isDeclaredDead: boolean;
}

const longPauseMs = 4000;

/** Stops one member after the other for four seconds, each once the one before is cleared. */
export function pauses({ members, lossPerMille, trials, seed }: TrialsInput): Pause[] {
  let suspectedAt: number | undefined;
  let isDeclaredDead = false;
  const onEvent = (_at: number, event: MembershipEvent, now: number): void => {
    if (event.kind === "suspected" && cluster.place(event.id) === paused) suspectedAt ??= now;
    if (event.kind === "dead") isDeclaredDead = true;
  };
  const cluster = new VirtualCluster({ members, seed, lossPerMille, onEvent });
  cluster.run(warmUpMs);
  const random = randomness(seed + 1);
  const found: Pause[] = [];
  let paused = -1;
  while (found.length < trials) {
    paused = random.below(members);
    suspectedAt = undefined;
    isDeclaredDead = false;
    cluster.run(random.below(1000));
    const pausedAt = cluster.now;
    cluster.pause(paused, longPauseMs);
    cluster.run(longPauseMs);
    const resumedAt = cluster.now;
    while (!isTakenForAlive(cluster, paused) && cluster.now < resumedAt + deathMsMax) {
      cluster.run(10);
    }
    found.push({
      suspectedMs: (suspectedAt ?? Infinity) - pausedAt,
      clearedMs: cluster.now - resumedAt,
      isDeclaredDead,
    });
  }
  return found;
}

function isTakenForAlive(cluster: VirtualCluster, at: number): boolean {
  const id = cluster.machine(at).self;
  for (let other = 0; other < cluster.size; other += 1) {
    if (!cluster.machine(other).isHealthy(id)) return false;
  }
  return true;
}

export interface CalmInput {
  readonly members: number;
  readonly seed: number;
  readonly lossPerMille: number;
  readonly hours: number;
  /** How many of 100 members pause in every `pauseEveryMs`, each once, at a random moment. */
  readonly pausingPercent: number;
}

export interface Calm {
  readonly pauses: number;
  readonly suspicions: number;
  /** Declared dead, by anybody, although everybody lives. */
  readonly falseDeaths: number;
  /** Nodes that at the end, after a quiet minute, do not take everybody for alive. */
  readonly disagreeing: number;
}

/** Between two draws of who pauses. */
export const pauseEveryMs = 10_000;
export const pauseMs = 2000;
const settlingMs = 60_000;

/** Nobody dies: whoever is declared dead is so falsely. */
export function calm(input: CalmInput): Calm {
  const { members, seed, hours, pausingPercent, lossPerMille } = input;
  let suspicions = 0;
  let falseDeaths = 0;
  const onEvent = (_at: number, event: MembershipEvent): void => {
    if (event.kind === "suspected") suspicions += 1;
    else if (event.kind === "dead") falseDeaths += 1;
  };
  const cluster = new VirtualCluster({ members, seed, lossPerMille, onEvent });
  const random = randomness(seed + 1);
  const pausing = Math.round((members * pausingPercent) / 100);
  let pauses = 0;
  for (let left = hours * 3_600_000; left > 0; left -= pauseEveryMs) {
    const moments = Array.from({ length: pausing }, () => random.below(pauseEveryMs)).toSorted(
      (one, other) => one - other,
    );
    let passed = 0;
    for (const moment of moments) {
      cluster.run(moment - passed);
      passed = moment;
      cluster.pause(random.below(members), pauseMs);
      pauses += 1;
    }
    cluster.run(pauseEveryMs - passed);
  }
  cluster.run(settlingMs);
  let disagreeing = 0;
  for (let at = 0; at < members; at += 1) {
    const states = cluster.machine(at).members();
    if (states.some(({ state }) => state !== "alive" && state !== "unknown")) disagreeing += 1;
  }
  return { pauses, suspicions, falseDeaths, disagreeing };
}
