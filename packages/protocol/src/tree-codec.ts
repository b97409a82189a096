import type { CompareRequest, LookRequest, LookedResponse, PeerResponse } from "@coterie/cluster";
import type {
  Digest,
  NodeId,
  Token,
  TreeDifference,
  TreeEntry,
  TreeNode,
  TreeQuestion,
} from "@coterie/core";
import { readNodeId } from "./read-node-id.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Tags of the fields 17 and 18 of an Operation. */
export const treeTags = { compare: 0x8a, look: 0x92 } as const;
/** Tag of the field 16 of a Result. */
export const comparedTag = 0x82;
/** Tag of the field 19 of a Result. */
export const lookedTag = 0x9a;

type ComparedResponse = PeerResponse & { readonly kind: "compared" };

/** Of one message, at most; a longer one is malformed. */
const questionsMax = 1024;
const differencesMax = 16_384;
/** Halves in one list. */
const halvesMax = 262_144;
/** Bytes of a question or difference beside its digests, at most. */
const fixedFieldsHint = 32;

/** About how many bytes a request takes when encoded. */
export function treeSizeHint(request: CompareRequest | LookRequest): number {
  if (request.kind === "look") return fixedFieldsHint + request.tokens.length * 8;
  const bytes = request.questions.reduce((sum, { digests }) => sum + 20 + digests.length * 8, 0);
  return fixedFieldsHint + bytes;
}

/** About how many bytes a response takes when encoded. */
export function comparedSizeHint({ differences }: ComparedResponse): number {
  return differences.reduce((sum, { holds }) => sum + 12 + holdingBytes(holds), 0);
}

export function lookedSizeHint({ entries }: LookedResponse): number {
  return 12 + entries.length * 21;
}

function holdingBytes(holds: TreeDifference["holds"]): number {
  return holds.kind === "digests" ? holds.digests.length * 8 : holds.entries.length * 16;
}

/** Writes what follows the stamp. */
export function writeTreeRequest(writer: WireWriter, request: CompareRequest | LookRequest): void {
  writer.text(0x1a, request.sender);
  if (request.kind === "compare") {
    for (const question of request.questions) writeQuestion(writer, question);
  } else writer.packedFixed32(0x22, halvesOf(request.tokens));
}

export function writeTreeAnswer(
  writer: WireWriter,
  response: ComparedResponse | LookedResponse,
): void {
  if (response.kind === "compared") writeCompared(writer, response);
  else writeLooked(writer, response);
}

function writeCompared(writer: WireWriter, { differences }: ComparedResponse): void {
  for (const { question, child, holds } of differences) {
    const sizeHint = 8 + holdingBytes(holds);
    const start = writer.open(0x0a, sizeHint);
    writer.uint(0x08, question);
    writer.uint(0x10, child);
    if (holds.kind === "digests") writer.packedFixed32(0x1a, halvesOf(holds.digests));
    else {
      writer.packedFixed32(0x22, entryHalves(holds.entries));
    }
    writer.close(start, sizeHint);
  }
}

function writeLooked(writer: WireWriter, { entries }: LookedResponse): void {
  writer.packedFixed32(0x0a, entryHalves(entries));
  writer.packedUints(
    0x12,
    entries.map(({ place }) => place),
  );
}

export function readLooked(reader: WireReader): LookedResponse {
  const halves: number[] = [];
  const places: number[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) reader.packedFixed32(halves, halvesMax);
    else if (tag === 0x12) reader.packedUints(places, halvesMax);
    else reader.skip(tag);
  }
  if (halves.length !== places.length * 4) reader.fail();
  reader.leave(outer);
  const entries = entriesOf(halves).map(({ token, digest }, at) => {
    return { token, digest, place: places[at] ?? 0 };
  });
  return { kind: "looked", entries };
}

function writeQuestion(writer: WireWriter, { node, of, digests }: TreeQuestion): void {
  const sizeHint = 16 + digests.length * 8;
  const start = writer.open(0x22, sizeHint);
  writer.uint(0x08, node.first);
  writer.uint(0x10, node.count);
  if (node.tokens !== undefined) {
    writer.fixed32(0x1d, node.tokens.from.high);
    writer.fixed32(0x25, node.tokens.from.low);
    writer.uintIfSet(0x28, node.tokens.bits);
  }
  writer.bool(0x30, of === "children");
  writer.packedFixed32(0x3a, halvesOf(digests));
  writer.close(start, sizeHint);
}

export function readCompare(reader: WireReader): CompareRequest {
  const stamp = { epoch: 0, tag: 0 };
  let sender: NodeId | undefined;
  const questions: TreeQuestion[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x1a) sender = readNodeId(reader);
    else if (tag === 0x22 && questions.length < questionsMax) questions.push(readQuestion(reader));
    else reader.skip(tag);
  }
  if (sender === undefined) reader.fail();
  reader.leave(outer);
  return { kind: "compare", stamp, sender: sender ?? ("" as NodeId), questions };
}

export function readLook(reader: WireReader): LookRequest {
  const stamp = { epoch: 0, tag: 0 };
  let sender: NodeId | undefined;
  const halves: number[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) stamp.epoch = reader.uint();
    else if (tag === 0x15) stamp.tag = reader.fixed32();
    else if (tag === 0x1a) sender = readNodeId(reader);
    else if (tag === 0x22) reader.packedFixed32(halves, halvesMax);
    else reader.skip(tag);
  }
  if (sender === undefined || halves.length % 2 !== 0) reader.fail();
  reader.leave(outer);
  return { kind: "look", stamp, sender: sender ?? ("" as NodeId), tokens: pairsOf(halves) };
}

function readQuestion(reader: WireReader): TreeQuestion {
  const node = { first: 0, count: 0 };
  let high: number | undefined;
  let low: number | undefined;
  let bits: number | undefined;
  let isOfChildren = false;
  const halves: number[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) node.first = reader.uint();
    else if (tag === 0x10) node.count = reader.uint();
    else if (tag === 0x1d) high = reader.fixed32();
    else if (tag === 0x25) low = reader.fixed32();
    else if (tag === 0x28) bits = reader.uint();
    else if (tag === 0x30) isOfChildren = reader.bool();
    else if (tag === 0x3a) reader.packedFixed32(halves, halvesMax);
    else reader.skip(tag);
  }
  if (halves.length % 2 !== 0) reader.fail();
  let tokens: TreeNode["tokens"];
  if (high !== undefined && low !== undefined && bits !== undefined) {
    tokens = { from: { high, low }, bits };
  } else if (high !== undefined || low !== undefined || bits !== undefined) reader.fail();
  reader.leave(outer);
  const of = isOfChildren ? "children" : "node";
  return { node: { ...node, tokens }, of, digests: pairsOf(halves) };
}

export function readCompared(reader: WireReader): ComparedResponse {
  const differences: TreeDifference[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a && differences.length < differencesMax) {
      differences.push(readDifference(reader));
    } else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "compared", differences };
}

function readDifference(reader: WireReader): TreeDifference {
  const place = { question: 0, child: 0 };
  const digests: number[] = [];
  const entries: number[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) place.question = reader.uint();
    else if (tag === 0x10) place.child = reader.uint();
    else if (tag === 0x1a) reader.packedFixed32(digests, halvesMax);
    else if (tag === 0x22) reader.packedFixed32(entries, halvesMax);
    else reader.skip(tag);
  }
  // What is held is told in one way or the other; no digests at all are those of no child.
  if (digests.length % 2 !== 0 || entries.length % 4 !== 0) reader.fail();
  if (digests.length > 0 && entries.length > 0) reader.fail();
  reader.leave(outer);
  if (digests.length > 0) {
    return { ...place, holds: { kind: "digests", digests: pairsOf(digests) } };
  }
  return { ...place, holds: { kind: "entries", entries: entriesOf(entries) } };
}

function entryHalves(entries: readonly TreeEntry[]): readonly number[] {
  const halves: number[] = [];
  for (const { token, digest } of entries) {
    halves.push(token.high, token.low, digest.high, digest.low);
  }
  return halves;
}

function halvesOf(pairs: readonly (Digest | Token)[]): readonly number[] {
  const halves: number[] = [];
  for (const { high, low } of pairs) halves.push(high, low);
  return halves;
}

function pairsOf(halves: readonly number[]): readonly Digest[] {
  const pairs: Digest[] = [];
  for (let at = 0; at + 1 < halves.length; at += 2) {
    pairs.push({ high: halves[at] as number, low: halves[at + 1] as number });
  }
  return pairs;
}

function entriesOf(halves: readonly number[]): readonly TreeEntry[] {
  const pairs = pairsOf(halves);
  const entries: TreeEntry[] = [];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    entries.push({ token: pairs[at] as Token, digest: pairs[at + 1] as Digest });
  }
  return entries;
}
