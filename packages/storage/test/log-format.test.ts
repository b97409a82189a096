import { readFileSync } from "node:fs";
import {
  DeadWrites,
  type CausalRecord,
  VersionVector,
  encodeRecord,
  hybridTimeZero,
  recordDigest,
  withClass,
  tokenOf,
  utf8,
} from "@coterie/core";
import { SimDisk, World } from "@coterie/sim";
import { expect, it } from "vitest";
import { saveBlob } from "../src/index.ts";
import { RecordIndex } from "../src/index/record-index.ts";
import {
  encodeSegmentHeader,
  entryHeaderBytes,
  entryKinds,
  segmentHeaderBytes,
  writeEntry,
} from "../src/log/format.ts";
import { Group } from "../src/log/group.ts";
import { encodeHead, writeDraft } from "../src/recovery/checkpoint.ts";
import { encodeActorMark } from "../src/recovery/control-entries.ts";
import { encodeRemovals, ownLsn } from "../src/recovery/removals.ts";

const page = new URL("../../../docs/internals/log-format.md", import.meta.url);
const actor = "0123456789abcdef" as never;
const key = { bucket: "b", key: utf8("k") };

function exampleRecord(): Uint8Array {
  const dot = { actor, counter: 1 };
  const sibling = {
    dots: [dot],
    value: utf8("hello"),
    contentType: "",
    writtenAt: hybridTimeZero,
    writeId: undefined,
    expiresAtMs: undefined,
  };
  const record: CausalRecord = {
    clock: VersionVector.of([dot]),
    siblings: [sibling],
    deadWrites: DeadWrites.none,
  };
  return encodeRecord(key, record);
}

/** The segment, and where its record is. */
function exampleSegment(): { readonly bytes: Uint8Array; readonly offset: number } {
  const salt = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const header = encodeSegmentHeader({ segment: 1, kind: "normal", partitions: 1, salt });
  const group = new Group(1, segmentHeaderBytes, new Uint8Array(64));
  group.append(entryKinds.actor, 0, encodeActorMark({ actor, counter: 2 ** 20 }));
  const offset = group.append(entryKinds.record, 1, exampleRecord());
  const bytes = new Uint8Array([...header, ...group.finish(0, salt)]);
  return { bytes, offset };
}

/** The entry by which another start of the same directory removes that record. */
function exampleRemoval(): Uint8Array {
  const token = tokenOf(key, { hash: "md5", partitions: 1 });
  const body = encodeRemovals([{ token, lsn: ownLsn, horizon: 2 }]);
  const bytes = new Uint8Array(entryHeaderBytes + body.length);
  writeEntry(bytes, 0, { kind: entryKinds.gone, lsn: 3, body });
  return bytes;
}

async function examples(): Promise<ReadonlyMap<string, Uint8Array>> {
  const world = new World({
    seed: 1,
    drain: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const disk = new SimDisk(world);
  const segment = exampleSegment();
  const index = new RecordIndex(1);
  const length = segment.bytes.length - segment.offset;
  const digest = withClass(recordDigest(exampleRecord()), 3);
  index.insert(0, tokenOf(key, { hash: "md5", partitions: 1 }), {
    segment: 1,
    offset: segment.offset,
    length,
    digest,
    due: 0,
    isWide: false,
  });
  const head = encodeHead({
    partitions: 1,
    segment: 1,
    offset: segment.bytes.length,
    lsn: 2,
    sequence: 1,
    isWhole: true,
    segments: [],
    damaged: [],
    removals: [],
    discards: [],
    lostPartitions: [],
  });
  await world.runUntilSettled(writeDraft(disk, "checkpoint", head, index, () => Promise.resolve()));
  await world.runUntilSettled(
    new Promise((settle) => {
      saveBlob(disk, "blob", utf8("hello"), settle);
    }),
  );
  return new Map([...disk.image(), ["segment", segment.bytes], ["removal", exampleRemoval()]]);
}

function dumpOf(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((byte) => (byte > 32 && byte < 127 ? String.fromCharCode(byte) : "."));
    lines.push(`${at.toString(16).padStart(4, "0")}  ${digits.padEnd(47)}  ${text.join("")}`);
  }
  return lines.join("\n");
}

it.each(["segment", "removal", "checkpoint", "blob"])(
  "the page shows the bytes of a %s",
  async (name) => {
    const bytes = (await examples()).get(name) as Uint8Array;
    const shown = new RegExp(`\`\`\`hex ${name}\\n([^]*?)\n\`\`\``, "u").exec(
      readFileSync(page, "utf8"),
    );
    expect(shown?.[1]).toBe(dumpOf(bytes));
  },
);
