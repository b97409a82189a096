import type { Ballot } from "@coterie/core";
import type {
  AcceptRequest,
  AskRequest,
  DocumentRequest,
  DocumentResponse,
  PrepareRequest,
  TellRequest,
} from "@coterie/cluster";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

// What nodes say to each other about the cluster document (docs/internals/agreement.md).

/** Bytes of a cluster's id, and of a proposer's nonce. */
const idBytes = 16;

/** Writes the fields of a request about the document. */
export function writeDocumentRequest(writer: WireWriter, request: DocumentRequest): void {
  if (request.kind === "tell") {
    writer.bytesOrDefault(0x0a, request.document);
    return;
  }
  if (request.clusterId !== "") writer.hex(0x0a, request.clusterId);
  writer.uint(0x10, request.epoch);
  if (request.kind === "ask") return;
  writer.uint(0x18, request.ballot.round);
  writer.hex(0x22, request.ballot.proposer);
  if (request.kind === "accept") writer.bytesOrDefault(0x2a, request.document);
}

export function readPrepare(reader: WireReader): PrepareRequest {
  const { clusterId, epoch, ballot } = readProposal(reader, false);
  return { kind: "prepare", clusterId, epoch, ballot };
}

export function readAccept(reader: WireReader): AcceptRequest {
  return { kind: "accept", ...readProposal(reader, true) };
}

function readProposal(reader: WireReader, hasDocument: boolean): Omit<AcceptRequest, "kind"> {
  const texts = { clusterId: "", proposer: "" };
  const numbers = { epoch: 0, round: 0 };
  let document: Uint8Array = new Uint8Array(0);
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) texts.clusterId = reader.hex(idBytes);
    else if (tag === 0x10) numbers.epoch = reader.uint();
    else if (tag === 0x18) numbers.round = reader.uint();
    else if (tag === 0x22) texts.proposer = reader.hex(idBytes);
    else if (tag === 0x2a && hasDocument) document = reader.view();
    else reader.skip(tag);
  }
  if (texts.clusterId === "" || texts.proposer === "") reader.fail();
  reader.leave(outer);
  const { epoch, round } = numbers;
  const { clusterId, proposer } = texts;
  return { clusterId, epoch, ballot: { round, proposer }, document };
}

export function readTell(reader: WireReader): TellRequest {
  let document: Uint8Array = new Uint8Array(0);
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) document = reader.view();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "tell", document };
}

export function readAsk(reader: WireReader): AskRequest {
  let clusterId = "";
  let epoch = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) clusterId = reader.hex(idBytes);
    else if (tag === 0x10) epoch = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "ask", clusterId, epoch };
}

/** Writes the fields of a ballot, and of the document that was accepted under it. */
export function writeVote(
  writer: WireWriter,
  { round, proposer }: Ballot,
  document?: Uint8Array,
): void {
  writer.uint(0x08, round);
  writer.hex(0x12, proposer);
  if (document !== undefined) writer.bytesOrDefault(0x1a, document);
}

export function readVote(
  reader: WireReader,
  hasDocument: boolean,
): { readonly ballot: Ballot; readonly document: Uint8Array } {
  let round = 0;
  let proposer = "";
  let document: Uint8Array = new Uint8Array(0);
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) round = reader.uint();
    else if (tag === 0x12) proposer = reader.hex(idBytes);
    else if (tag === 0x1a && hasDocument) document = reader.view();
    else reader.skip(tag);
  }
  if (proposer === "") reader.fail();
  reader.leave(outer);
  return { ballot: { round, proposer }, document };
}

export function writeDocumentResponse(
  writer: WireWriter,
  { epoch, document }: DocumentResponse,
): void {
  writer.uint(0x08, epoch);
  if (document !== undefined) writer.bytes(0x12, document);
}

export function readDocumentResponse(reader: WireReader): DocumentResponse {
  let epoch = 0;
  let document: Uint8Array | undefined;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) epoch = reader.uint();
    else if (tag === 0x12) document = reader.view();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "document", epoch, document };
}
