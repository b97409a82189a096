import { type Fence, noFence } from "@coterie/core";
import type {
  AskFencesRequest,
  FenceRaisedResponse,
  FencesResponse,
  ListedEntry,
  RaiseFenceRequest,
  RaiseProblem,
  ReapRequest,
} from "@coterie/cluster";
import { readListedEntry, writeListedEntry } from "./listed-entry.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

// What nodes say to each other to forget tombstones (docs/internals/reaping.md).

/** Tags of the fields 20 to 22 of an Operation. */
export const reapingTags = { "raise-fence": 0xa2, reap: 0xaa, "ask-fences": 0xb2 } as const;
/** Tags of the fields 20 to 22 of a Result. */
export const reapingAnswerTags = { "fence-raised": 0xa2, reaped: 0xaa, fences: 0xb2 } as const;

/** Of one message. */
const entriesMax = 65_536;
/** Two for each partition. */
const numbersMax = 2 * 65_536;

/** In the order of their numbers on the wire, which begin with 1. Append only. */
export const raiseProblemsInWireOrder: readonly RaiseProblem[] = [
  "outdone",
  "behind",
  "hints",
  "damaged",
  "disk",
];

/** Writes what follows the stamp. */
export function writeReapingRequest(
  writer: WireWriter,
  request: RaiseFenceRequest | ReapRequest | AskFencesRequest,
): void {
  if (request.kind === "ask-fences") return;
  writer.uint(0x18, request.partition);
  writer.uint(0x20, request.fence);
  for (const entry of request.entries) writeListedEntry(writer, 0x2a, entry);
  if (request.kind === "raise-fence") writer.uint(0x30, request.reaped);
  else for (const entry of request.cuts) writeListedEntry(writer, 0x3a, entry);
}

export function readRaiseFence(reader: WireReader): RaiseFenceRequest {
  const { stamp, partition, fence, reaped, entries } = readRound(reader);
  return { kind: "raise-fence", stamp, partition, fence, reaped, entries };
}

export function readReap(reader: WireReader): ReapRequest {
  const { stamp, partition, fence, entries, cuts } = readRound(reader);
  return { kind: "reap", stamp, partition, fence, entries, cuts };
}

type Round = Omit<RaiseFenceRequest, "kind"> & Omit<ReapRequest, "kind">;

function readRound(reader: WireReader): Round {
  const stamp = { epoch: 0, tag: 0 };
  const numbers = { partition: 0, fence: 0, reaped: 0 };
  const entries: ListedEntry[] = [];
  const cuts: ListedEntry[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x18) numbers.partition = reader.uint();
    else if (tag === 0x20) numbers.fence = reader.uint();
    else if (tag === 0x2a && entries.length < entriesMax) entries.push(readListedEntry(reader));
    else if (tag === 0x30) numbers.reaped = reader.uint();
    else if (tag === 0x3a && cuts.length < entriesMax) cuts.push(readListedEntry(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { stamp, ...numbers, entries, cuts };
}

function writeFenceRaised(
  writer: WireWriter,
  { fence, problem, lacking }: FenceRaisedResponse,
): void {
  writer.uint(0x08, fence.raised);
  writer.uint(0x10, fence.reaped);
  if (problem !== undefined) writer.uint(0x18, raiseProblemsInWireOrder.indexOf(problem) + 1);
  writer.packedUints(0x22, lacking);
}

export function readFenceRaised(reader: WireReader): FenceRaisedResponse {
  const fence = { raised: 0, reaped: 0 };
  const lacking: number[] = [];
  let number = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) fence.raised = reader.uint();
    else if (tag === 0x10) fence.reaped = reader.uint();
    else if (tag === 0x18) number = reader.uint();
    else if (tag === 0x22) reader.packedUints(lacking, entriesMax);
    else reader.skip(tag);
  }
  reader.leave(outer);
  // A newer peer's problem is one all the same.
  const problem = number === 0 ? undefined : (raiseProblemsInWireOrder[number - 1] ?? "damaged");
  return { kind: "fence-raised", fence, problem, lacking };
}

/** Writes the fields of an answer about fences. */
export function writeReapingAnswer(
  writer: WireWriter,
  response: FenceRaisedResponse | FencesResponse,
): void {
  if (response.kind === "fences") writeFences(writer, response);
  else writeFenceRaised(writer, response);
}

/** All fences of a node: two numbers each, by partition. */
function writeFences(writer: WireWriter, { fences, isWhole }: FencesResponse): void {
  const numbers = fences.flatMap(({ raised, reaped }) => [raised, reaped]);
  writer.packedUints(0x0a, numbers);
  writer.bool(0x10, isWhole);
}

export function readFences(reader: WireReader): FencesResponse {
  const numbers: number[] = [];
  let isWhole = false;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) reader.packedUints(numbers, numbersMax);
    else if (tag === 0x10) isWhole = reader.bool();
    else reader.skip(tag);
  }
  if (numbers.length % 2 !== 0) reader.fail();
  reader.leave(outer);
  const fences = Array.from({ length: Math.floor(numbers.length / 2) }, (_, at) =>
    fenceOf(numbers[2 * at] as number, numbers[2 * at + 1] as number),
  );
  return { kind: "fences", fences, isWhole };
}

/** Nearly always there is none: then no object is made for it. */
export function fenceOf(raised: number, reaped: number): Fence {
  return raised === 0 && reaped === 0 ? noFence : { raised, reaped };
}
