import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { ClusterDocument } from "../ring/cluster-document.ts";
import { decodeDocument, encodeDocument } from "../ring/document-codec.ts";
import type { AcceptorState } from "./acceptor.ts";
import { type Ballot, compareBallots } from "./ballot.ts";

// version 1, promised ballot, accepted ballot, document (docs/internals/agreement.md).

const version = 1;
const proposerBytes = 16;

export type DecodedRegister =
  | { readonly ok: true; readonly state: AcceptorState<ClusterDocument> }
  | { readonly ok: false; readonly reason: string };

/** What an acceptor of cluster documents keeps on its disk. */
export function encodeRegister({ promised, accepted }: AcceptorState<ClusterDocument>): Uint8Array {
  const writer = new ByteWriter(4096);
  writer.u8(version);
  writeBallot(writer, promised);
  writeBallot(writer, accepted.ballot);
  writer.bytes(encodeDocument(accepted.value));
  return writer.finish();
}

/** Reads what {@link encodeRegister} wrote, and nothing else. */
export function decodeRegister(bytes: Uint8Array): DecodedRegister {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== version) return { ok: false, reason: "it is of a version not known here" };
  const promised = readBallot(reader);
  const ballot = readBallot(reader);
  const document = reader.view(reader.remaining);
  if (reader.failed) return { ok: false, reason: "it is too short" };
  if (compareBallots(ballot, promised) > 0) {
    return { ok: false, reason: "it accepted more than it promised" };
  }
  const decoded = decodeDocument(document);
  if (!decoded.ok) return decoded;
  return { ok: true, state: { promised, accepted: { ballot, value: decoded.document } } };
}

function writeBallot(writer: ByteWriter, { round, proposer }: Ballot): void {
  writer.u32(round);
  writer.hex(proposer);
}

function readBallot(reader: ByteReader): Ballot {
  return { round: reader.u32(), proposer: reader.hex(proposerBytes) };
}
