import {
  DeadWrites,
  type ActorId,
  type CausalRecord,
  type Dot,
  type Key,
  VersionVector,
  encodeRecord,
  hybridTimeZero,
  partitionOf,
  tokenOf,
  utf8,
} from "@coterie/core";
import { NodeDisk, NodeRandom, SystemClock } from "@coterie/server";
import { type PlacedKey, type RecordStore, type StoredRecord, openStore } from "@coterie/storage";
import type { Shape } from "./orders.ts";
import { replicaStore } from "./replica-store.ts";

/** Who wrote what is there from the beginning: the same at both nodes. */
export const author = "00000000000000aa" as ActorId;
const atOnce = 1024;

/** A key of the default bucket. */
export function keyOf(name: string): Key {
  return { bucket: "default", key: utf8(name) };
}

/** A {@link Shape}, and how many copies of a key there are. */
export interface FilledShape extends Shape {
  readonly copies: number;
}

/**
 * Writes a node's log as so many puts would have, without a node; two such logs hold the same.
 * @param nameOf the key by its number.
 */
export async function fill(
  directory: string,
  shape: FilledShape,
  keys: number,
  nameOf: (number: number) => string,
): Promise<void> {
  const { partitions, copies } = shape;
  const ports = {
    clock: new SystemClock(),
    disk: new NodeDisk(directory),
    random: new NodeRandom(),
  };
  const space = { partitions, hash: "md5" as const, classOf: () => copies };
  // Nothing is acknowledged to anybody: it need not wait for the disk.
  const opened = await openStore(ports, { ...replicaStore, ...space, durability: "os" });
  if (!opened.ok) throw new Error(`${directory}: ${opened.message}`);
  const { store } = opened;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let number = next++; number < keys; number = next++) {
      await put(store, shape, keyOf(nameOf(number)), number);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  await store.stop();
}

function put(store: RecordStore, shape: Shape, key: Key, number: number): Promise<void> {
  const value = new Uint8Array(shape.valueBytes).fill(number & 0xff);
  const stored = recordOf(key, { actor: author, counter: number + 1 }, value);
  return new Promise((resolve, reject) => {
    store.update(placedKey(key, shape.partitions), {
      bytes: stored.bytes.length,
      mayUseReserve: false,
      apply: () => stored,
      settle: (outcome) => (outcome.ok ? resolve() : reject(new Error(outcome.code))),
    });
  });
}

/** The key with its place among so many partitions. */
export function placedKey(key: Key, partitions: number): PlacedKey {
  const token = tokenOf(key, { hash: "md5", partitions });
  return { ...key, token, partition: partitionOf(token, partitions) };
}

/** A record with one value, of one write. */
export function recordOf(key: Key, dot: Dot, value: Uint8Array): StoredRecord {
  const record: CausalRecord = {
    clock: VersionVector.of([dot]),
    siblings: [
      {
        dots: [dot],
        value,
        contentType: "",
        writtenAt: hybridTimeZero,
        writeId: undefined,
        expiresAtMs: undefined,
      },
    ],
    deadWrites: DeadWrites.none,
  };
  return { record, bytes: encodeRecord(key, record) };
}
