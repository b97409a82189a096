import {
  type ActorId,
  type CausalRecord,
  VersionVector,
  encodeRecord,
  hybridTimeZero,
  partitionOf,
  tokenOf,
  utf8,
} from "@coterie/core";
import { NodeDisk, NodeRandom, SystemClock } from "@coterie/server";
import { type RecordStore, type StoredRecord, openStore } from "@coterie/storage";
import type { Shape } from "./orders.ts";
import { replicaStore } from "./replica-store.ts";

/** Who wrote what is there from the beginning: the same at both nodes. */
const author = "00000000000000aa" as ActorId;
const atOnce = 1024;

/** The key by its number. */
export function keyOf(number: number): { readonly bucket: string; readonly key: Uint8Array } {
  return { bucket: "default", key: utf8(`key-${number}`) };
}

/** Writes a node's log as so many puts would have, without a node; two such logs hold the same. */
export async function fill(directory: string, shape: Shape, keys: number): Promise<void> {
  const { partitions } = shape;
  const ports = {
    clock: new SystemClock(),
    disk: new NodeDisk(directory),
    random: new NodeRandom(),
  };
  const space = { partitions, hash: "md5" as const, classOf: () => 2 };
  // Nothing is acknowledged to anybody: it need not wait for the disk.
  const opened = await openStore(ports, { ...replicaStore, ...space, durability: "os" });
  if (!opened.ok) throw new Error(`${directory}: ${opened.message}`);
  const { store } = opened;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let number = next++; number < keys; number = next++) await put(store, shape, number);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  await store.stop();
}

function put(store: RecordStore, shape: Shape, number: number): Promise<void> {
  const key = keyOf(number);
  const stored = recordOf(number, shape.valueBytes);
  const token = tokenOf(key, { hash: "md5", partitions: shape.partitions });
  const placed = { ...key, token, partition: partitionOf(token, shape.partitions) };
  return new Promise((resolve, reject) => {
    store.update(placed, {
      bytes: stored.bytes.length,
      mayUseReserve: false,
      apply: () => stored,
      settle: (outcome) => (outcome.ok ? resolve() : reject(new Error(outcome.code))),
    });
  });
}

function recordOf(number: number, valueBytes: number): StoredRecord {
  const dot = { actor: author, counter: number + 1 };
  const record: CausalRecord = {
    clock: VersionVector.of([dot]),
    siblings: [
      {
        dots: [dot],
        value: new Uint8Array(valueBytes).fill(number & 0xff),
        contentType: "",
        writtenAt: hybridTimeZero,
        writeId: undefined,
        expiresAtMs: undefined,
      },
    ],
    deadWrites: [],
  };
  return { record, bytes: encodeRecord(keyOf(number), record) };
}
