import {
  DeadWrites,
  type ActorId,
  type ClusterDocument,
  Ring,
  VersionVector,
  defaultBuckets,
  encodeRecord,
  formDocument,
  hybridTimeZero,
  partitionOf,
  tokenOf,
  utf8,
} from "@coterie/core";
import { SimClock, SimDisk, World } from "@coterie/sim";
import { type PlacedKey, type RecordStore, type StoredRecord, openStore } from "@coterie/storage";
import { expect, it } from "vitest";
import { SharedSources } from "../../src/anti-entropy/shared-source.ts";
import { address, node } from "../small-cluster.ts";

const settings = { partitions: 4, hash: "md5", nMax: 2, buckets: defaultBuckets(2) } as const;

function formed(): ClusterDocument {
  const members = [1, 2, 3].map((number) => ({
    id: node(number),
    address: address(number),
    http: "",
    grpc: "",
    resp: "",
    host: `h${number}`,
    zone: "zone",
    weight: 1,
    nonce: String(number).repeat(32),
  }));
  const outcome = formDocument(settings, members);
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.document;
}

async function opened(world: World): Promise<RecordStore> {
  const ports = { clock: new SimClock(world), disk: new SimDisk(world), random: world.random };
  const options = {
    ...settings,
    classOf: () => 2,
    segmentBytes: 64 * 1024,
    queueBytesMax: 1024 * 1024,
    reserveBytes: 4096,
    durability: "fsync",
    // Nothing is remembered: an update waits for its record.
    cacheBytes: 0,
    onFatal: (reason: string) => {
      throw new Error(reason);
    },
    onEvent: () => undefined,
  } as const;
  const outcome = await world.runUntilSettled(openStore(ports, options));
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.store;
}

const name = { bucket: "default", key: utf8("k") };
const token = tokenOf(name, settings);
const placed: PlacedKey = { ...name, token, partition: partitionOf(token, settings.partitions) };

function version(counter: number): StoredRecord {
  const dot = { actor: "00000000000000aa" as ActorId, counter };
  const sibling = {
    dots: [dot],
    value: utf8(`${counter}`),
    contentType: "",
    writtenAt: hybridTimeZero,
    writeId: undefined,
    expiresAtMs: undefined,
  };
  const record = {
    clock: VersionVector.of([dot]),
    siblings: [sibling],
    deadWrites: DeadWrites.none,
  };
  return { record, bytes: encodeRecord(name, record) };
}

function put(store: RecordStore, counter: number, onApplied: () => void): Promise<unknown> {
  return new Promise((settle) => {
    const apply = (): StoredRecord => {
      onApplied();
      return version(counter);
    };
    store.update(placed, { bytes: 200, mayUseReserve: false, apply, settle });
  });
}

it("what was taken under earlier owners can be seen before anybody compares", async () => {
  const world = new World({
    seed: 1,
    drain: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const store = await opened(world);
  const document = formed();
  let ring = new Ring(document);
  const sources = new SharedSources({ self: node(1), store, ring: () => ring });
  await world.runUntilSettled(put(store, 1, () => undefined));
  const seen: string[] = [];
  const taken = put(store, 2, () => seen.push("taken"));
  const moved = { ...document, epoch: 2, owners: document.owners.toReversed() };
  ring = new Ring(moved);
  const compared = sources.settled().then((isSame) => seen.push(`compared: ${isSame}`));
  await world.runUntilSettled(Promise.all([taken, compared]));
  expect(seen).toEqual(["taken", "compared: true"]);

  const late = put(store, 3, () => seen.push("late"));
  ring = new Ring({ ...moved, epoch: 3 });
  const overtaken = sources.settled();
  ring = new Ring({ ...document, epoch: 4 });
  expect(await world.runUntilSettled(overtaken)).toBe(false);
  await world.runUntilSettled(late);
});
