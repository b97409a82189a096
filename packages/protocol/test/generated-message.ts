import type { Announcement, Ballot, MembershipMessage, MessageBody, News } from "@coterie/core";
import type {
  DocumentRequest,
  HotTable,
  ListedEntry,
  PeerRequest,
  PeerResponse,
  RecordOutcome,
  SentRecord,
} from "@coterie/cluster";
import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import {
  type AnnouncementSchema,
  BatchAckSchema,
  BatchSchema,
  type HotTableSchema,
  type ListedEntrySchema,
  MemberState,
  type MembershipMessageSchema,
  type NewsSchema,
  type OperationSchema,
  RaiseProblem,
  Refusal,
  type ResultSchema,
} from "./generated/coterie/peer/v1/peer_pb.js";
import { refusalsInWireOrder } from "../src/refusals.ts";

type GeneratedRequest = NonNullable<MessageInitShape<typeof OperationSchema>["request"]>;
type GeneratedResponse = NonNullable<MessageInitShape<typeof ResultSchema>["response"]>;
type GeneratedAnnouncement = MessageInitShape<typeof AnnouncementSchema>;

export interface SentOperation {
  readonly id: number;
  readonly deadline: number;
  readonly request: PeerRequest;
}

export interface SentResult {
  readonly id: number;
  readonly response: PeerResponse;
}

/** Fields that are set, as generated code wants them: an absent one is left out, not undefined. */
function present<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as {
    [Name in keyof Fields]: Exclude<Fields[Name], undefined>;
  };
}

function textBytes(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : new TextEncoder().encode(text);
}

function generatedAnnouncement(announcement: Announcement): GeneratedAnnouncement {
  return { ...announcement, heard: [...announcement.heard] };
}

function generatedNews({ state, ...rest }: News): MessageInitShape<typeof NewsSchema> {
  return { state: MemberState[state.toUpperCase() as keyof typeof MemberState], ...rest };
}

type GeneratedBody = NonNullable<MessageInitShape<typeof MembershipMessageSchema>["body"]>;

function generatedBody(body: MessageBody): GeneratedBody {
  switch (body.kind) {
    case "ping":
      return { case: "ping", value: { sequence: body.sequence } };
    case "ack":
      return { case: "ack", value: { sequence: body.sequence } };
    case "nack":
      return { case: "nack", value: { sequence: body.sequence } };
    case "ping-request":
      return { case: "pingRequest", value: { sequence: body.sequence, target: body.target } };
    case "gossip":
      return { case: "gossip", value: {} };
    case "compare":
      return { case: "compare", value: { digest: body.digest } };
    case "table":
      break;
  }
  const entries = body.entries.map(generatedNews);
  return { case: "table", value: { entries, isQuestion: body.isQuestion } };
}

function generatedMembership({
  news,
  body,
  ...header
}: MembershipMessage): MessageInitShape<typeof MembershipMessageSchema> {
  return { ...header, news: news.map(generatedNews), body: generatedBody(body) };
}

function generatedRequest(request: PeerRequest): GeneratedRequest {
  if (request.kind === "announce")
    return { case: "announce", value: generatedAnnouncement(request.announcement) };
  if (request.kind === "ask-levels") return { case: "askLevels", value: {} };
  if (request.kind === "membership") {
    const { cluster, message } = request;
    return { case: "membership", value: { cluster, message: generatedMembership(message) } };
  }
  if (!("stamp" in request)) return generatedDocumentRequest(request);
  const { epoch, tag } = request.stamp;
  const stamp = { epoch, tag };
  switch (request.kind) {
    case "merge": {
      const { fence, record } = request;
      return { case: "merge", value: { ...stamp, fence, record } };
    }
    case "read": {
      const { bucket, key, spared } = request;
      if (spared === undefined) return { case: "read", value: { ...stamp, bucket, key } };
      const { digest, bytes } = spared;
      const halves = present({ digestHigh: digest?.high, digestLow: digest?.low });
      return { case: "read", value: { ...stamp, bucket, key, spared: { ...halves, bytes } } };
    }
    case "hint": {
      const { target, fence, record } = request;
      return { case: "hint", value: { ...stamp, target, fence, record } };
    }
    case "read-hint":
      return { case: "readHint", value: { ...stamp, bucket: request.bucket, key: request.key } };
    case "find": {
      const { partition, token, evenIfDamaged } = request;
      const halves = { tokenHigh: token.high, tokenLow: token.low };
      return { case: "find", value: { ...stamp, partition, ...halves, evenIfDamaged } };
    }
    case "list": {
      const { partition, limit, after, evenIfDamaged, skipsEmpty } = request;
      const halves = present({ afterHigh: after?.high, afterLow: after?.low });
      const flags = { evenIfDamaged, skipsEmpty };
      return { case: "list", value: { ...stamp, partition, limit, ...halves, ...flags } };
    }
    case "compare":
      return {
        case: "compareTrees",
        value: {
          ...stamp,
          sender: request.sender,
          questions: request.questions.map(({ node, of, digests }) => ({
            first: node.first,
            count: node.count,
            ...present({
              fromHigh: node.tokens?.from.high,
              fromLow: node.tokens?.from.low,
              bits: node.tokens?.bits,
            }),
            ofChildren: of === "children",
            digests: halvesOf(digests),
          })),
        },
      };
    case "look": {
      const { sender, tokens } = request;
      return { case: "look", value: { ...stamp, sender, tokens: halvesOf(tokens) } };
    }
    case "fetch": {
      const { tokens, bytesMax } = request;
      return { case: "fetch", value: { ...stamp, tokens: halvesOf(tokens), bytesMax } };
    }
    case "merge-all":
      return { case: "mergeAll", value: { ...stamp, ...generatedRecords(request.records) } };
    case "put": {
      const { bucket, key, value, contentType, w, pw, mode, returnBody } = request;
      const optional = present({
        context: textBytes(request.context),
        ttlMs: request.ttlMs,
        expiresAtMs: request.expiresAtMs,
        writeId:
          request.writeId === undefined
            ? undefined
            : new Uint8Array(Buffer.from(request.writeId, "hex")),
      });
      const sloppy = mode === "sloppy";
      const fields = { bucket, key, value, contentType, w, pw, returnBody, sloppy };
      return { case: "put", value: { ...stamp, ...fields, ...optional } };
    }
    case "raise-fence": {
      const { partition, fence, reaped } = request;
      const entries = request.entries.map(generatedEntry);
      return { case: "raiseFence", value: { ...stamp, partition, fence, reaped, entries } };
    }
    case "reap": {
      const { partition, fence } = request;
      const entries = request.entries.map(generatedEntry);
      const cuts = request.cuts.map(generatedEntry);
      return { case: "reap", value: { ...stamp, partition, fence, entries, cuts } };
    }
    case "ask-fences":
      return { case: "askFences", value: stamp };
    case "ask-hot-keys":
      return { case: "askHotKeys", value: stamp };
    case "delete":
      break;
  }
  const { bucket, key, w, pw, mode } = request;
  const sloppy = mode === "sloppy";
  const context = new TextEncoder().encode(request.context);
  return { case: "delete", value: { ...stamp, bucket, key, context, w, pw, sloppy } };
}

function halvesOf(pairs: readonly { readonly high: number; readonly low: number }[]): number[] {
  return pairs.flatMap(({ high, low }) => [high, low]);
}

function generatedTable({
  perSecond,
  floorPerSecond,
  keys,
}: HotTable): MessageInitShape<typeof HotTableSchema> {
  return {
    rate: perSecond,
    floor: floorPerSecond,
    keys: keys.map(({ bucket, key, ...rates }) => {
      return { bucket, key, rate: rates.perSecond, error: rates.errorPerSecond };
    }),
  };
}

function generatedRecords(sent: readonly SentRecord[]): {
  records: Uint8Array[];
  fences: number[];
} {
  return {
    records: sent.map(({ record }) => record),
    fences: sent.map(({ fence }) => fence),
  };
}

function generatedEntry({
  token,
  digest,
}: ListedEntry): MessageInitShape<typeof ListedEntrySchema> {
  return {
    tokenHigh: token.high,
    tokenLow: token.low,
    digestHigh: digest.high,
    digestLow: digest.low,
  };
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

function generatedDocumentRequest(request: DocumentRequest): GeneratedRequest {
  if (request.kind === "tell") return { case: "tell", value: { document: request.document } };
  const { epoch } = request;
  const clusterId = bytesOf(request.clusterId);
  if (request.kind === "ask") return { case: "ask", value: { clusterId, epoch } };
  const { round } = request.ballot;
  const value = { clusterId, epoch, round, proposer: bytesOf(request.ballot.proposer) };
  if (request.kind === "prepare") return { case: "prepare", value };
  return { case: "accept", value: { ...value, document: request.document } };
}

function generatedBallot({ round, proposer }: Ballot): { round: number; proposer: Uint8Array } {
  return { round, proposer: bytesOf(proposer) };
}

function generatedResponse(response: PeerResponse): GeneratedResponse {
  switch (response.kind) {
    case "merged":
      return { case: "merged", value: { changed: response.changed } };
    case "present":
      return { case: "present", value: { record: response.record, ...response.fence } };
    case "absent":
      return { case: "absent", value: response.fence };
    case "version": {
      const { digest, bytes, fence } = response;
      const halves = { digestHigh: digest.high, digestLow: digest.low };
      return { case: "version", value: { ...halves, bytes, ...fence } };
    }
    case "unknown":
      return { case: "unknown", value: {} };
    case "found":
      return { case: "found", value: { records: [...response.records], ...response.fence } };
    case "listed":
      return {
        case: "listed",
        value: { entries: response.entries.map(generatedEntry) },
      };
    case "compared":
      return {
        case: "compared",
        value: {
          differences: response.differences.map(({ question, child, holds }) => ({
            question,
            child,
            digests: holds.kind === "digests" ? halvesOf(holds.digests) : [],
            entries:
              holds.kind === "entries"
                ? holds.entries.flatMap(({ token, digest }) => halvesOf([token, digest]))
                : [],
          })),
        },
      };
    case "looked": {
      const { entries } = response;
      const pairs = entries.flatMap(({ token, digest }) => [token, digest]);
      const places = entries.map(({ place }) => place);
      return { case: "looked", value: { entries: halvesOf(pairs), places } };
    }
    case "fetched": {
      const { tokens, records } = response;
      return { case: "fetched", value: { tokens, ...generatedRecords(records) } };
    }
    case "merged-all": {
      const number = (code: RecordOutcome): number =>
        ["unchanged", "changed", ...refusalsInWireOrder].indexOf(code);
      return { case: "mergedAll", value: { outcomes: response.outcomes.map(number) } };
    }
    case "fence-raised": {
      const { fence, problem, lacking } = response;
      const name = problem?.toUpperCase() as keyof typeof RaiseProblem | undefined;
      const number = name === undefined ? RaiseProblem.UNSPECIFIED : RaiseProblem[name];
      return { case: "fenceRaised", value: { ...fence, problem: number, lacking: [...lacking] } };
    }
    case "reaped":
      return { case: "reaped", value: {} };
    case "fences": {
      const numbers = response.fences.flatMap(({ raised, reaped }) => [raised, reaped]);
      return { case: "fences", value: { numbers, isWhole: response.isWhole } };
    }
    case "hot-keys": {
      const value = {
        reads: generatedTable(response.reads),
        writes: generatedTable(response.writes),
      };
      return { case: "hotKeys", value };
    }
    case "written": {
      const { siblings, primaries, fallbacks, record } = response;
      const optional = present({ context: textBytes(response.context), record });
      return { case: "written", value: { siblings, primaries, fallbacks, ...optional } };
    }
    case "announced":
      return { case: "announced", value: generatedAnnouncement(response.announcement) };
    case "promised": {
      const { ballot, document } = response;
      return { case: "promised", value: { ...generatedBallot(ballot), document } };
    }
    case "levels":
      return { case: "levels", value: response.levels };
    case "accepted":
      return { case: "accepted", value: {} };
    case "outbid":
      return { case: "outbid", value: generatedBallot(response.ballot) };
    case "document": {
      const { epoch, document } = response;
      return { case: "document", value: { epoch, ...present({ document }) } };
    }
    case "membership":
      return {
        case: "membership",
        value: { messages: response.messages.map(generatedMembership) },
      };
    case "refused":
      break;
  }
  const { message, primaries, fallbacks } = response;
  const name = response.code.toUpperCase().replaceAll("-", "_") as keyof typeof Refusal;
  const code = Refusal[name];
  const isOutcomeUnknown = response.outcome === "unknown";
  return { case: "refused", value: { code, isOutcomeUnknown, message, primaries, fallbacks } };
}

/** A Batch as the generated code encodes it. */
export function generatedBatch(sentMs: number, sent: readonly SentOperation[]): Uint8Array {
  const operations = sent.map(({ id, deadline, request }) => ({
    id,
    deadlineMs: deadline,
    request: generatedRequest(request),
  }));
  return toBinary(BatchSchema, create(BatchSchema, { sentMs, operations }));
}

/** A BatchAck as the generated code encodes it. */
export function generatedAck(sent: readonly SentResult[]): Uint8Array {
  const results = sent.map(({ id, response }) => ({ id, response: generatedResponse(response) }));
  return toBinary(BatchAckSchema, create(BatchAckSchema, { results }));
}
