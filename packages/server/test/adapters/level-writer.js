// A process of its own, to be killed: says what each key holds, then writes as fast as it can and
// says what was acknowledged. Run by level-kill.full.ts.
import { join } from "node:path";
import {
  DeadWrites,
  VersionVector,
  encodeRecord,
  hybridTimeZero,
  partitionOf,
  tokenOf,
} from "@coterie/core";
import { LevelEngine, NodeDisk, NodeRandom, SystemClock, loadLevel } from "@coterie/server";
import { openStore } from "@coterie/storage";

const [directory = ""] = process.argv.slice(2);
const keys = 64;
const partitions = 8;
const actor = "00000000000000aa";

const fail = (reason) => {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
};
const loaded = await loadLevel();
if (!loaded.ok) fail(loaded.message);
const opened = await openStore(
  { clock: new SystemClock(), disk: new NodeDisk(directory), random: new NodeRandom() },
  {
    partitions,
    hash: "md5",
    classOf: () => 3,
    segmentBytes: 4 * 1024 * 1024,
    queueBytesMax: 64 * 1024 * 1024,
    reserveBytes: 0,
    durability: "fsync",
    cacheBytes: 1024 * 1024,
    onFatal: fail,
    onEvent: ({ kind, detail }) => (kind === "damage" ? fail(detail) : undefined),
  },
  new LevelEngine(join(directory, "leveldb"), loaded.level),
);
if (!opened.ok) fail(opened.message);
const { store } = opened;
if (!store.damage().isWhole) fail("a crash is taken for damage");

const placed = (key) => {
  const named = { bucket: "default", key: new TextEncoder().encode(`key-${key}`) };
  const token = tokenOf(named, { hash: "md5", partitions });
  return { ...named, token, partition: partitionOf(token, partitions) };
};

const held = (key) =>
  new Promise((resolve) => {
    store.read(placed(key), (outcome) => {
      if (!outcome.ok || outcome.held.state === "unknown") fail(`key ${key} cannot be read`);
      const isPresent = outcome.held.state === "present";
      resolve(isPresent ? outcome.held.stored.record.clock.get(actor) : 0);
    });
  });

const write = (key, counter) => {
  const dot = { actor, counter };
  const value = new Uint8Array(500 + ((counter * 7919) % 30_000));
  const sibling = { dots: [dot], value, contentType: "", writtenAt: hybridTimeZero };
  const record = {
    clock: VersionVector.of([dot]),
    siblings: [sibling],
    deadWrites: DeadWrites.none,
  };
  store.update(placed(key), {
    bytes: value.length,
    mayUseReserve: false,
    apply: () => ({ record, bytes: encodeRecord(placed(key), record) }),
    settle: ({ ok }) => {
      if (ok) process.stdout.write(`acknowledged ${key} ${counter}\n`);
      write(key, counter + 1);
    },
  });
};

const versions = [];
for (let key = 0; key < keys; key += 1) versions.push(await held(key));
process.stdout.write(`holds ${versions.join(" ")} keys ${store.keys}\n`);
for (const [key, version] of versions.entries()) write(key, version + 1);
setInterval(() => {
  process.stdout.write(`spilled ${store.statistics().compactions}\n`);
}, 50);
