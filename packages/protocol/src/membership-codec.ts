import type { GossipedState, MembershipMessage, MessageBody, News, NodeId } from "@coterie/core";
import { readNodeId } from "./read-node-id.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** In the order of their numbers on the wire, which begin with 0. Append only. */
const statesInWireOrder: readonly GossipedState[] = ["alive", "suspect", "dead", "left"];
/** Pieces of news, or entries of a table, in one message; more are malformed. */
const newsMax = 1024;
const newsBytesFixed = 20;
const headerBytes = 24;

const bodyTags = {
  ping: 0x32,
  "ping-request": 0x3a,
  ack: 0x42,
  nack: 0x4a,
  gossip: 0x52,
  compare: 0x5a,
  table: 0x62,
} as const;

/** About how many bytes a message takes; never far below. */
export function membershipSizeHint({ from, to, news, body }: MembershipMessage): number {
  return headerBytes + from.length + to.length + newsSizeHint(news) + bodySizeHint(body);
}

function newsSizeHint(news: readonly News[]): number {
  let bytes = 0;
  for (const { id, by } of news) bytes += newsBytesFixed + id.length + by.length;
  return bytes;
}

function bodySizeHint(body: MessageBody): number {
  if (body.kind === "table") return 4 + newsSizeHint(body.entries);
  return body.kind === "ping-request" ? 8 + body.target.length : 5;
}

/** Writes a MembershipMessage under `tag`. */
export function writeMembership(writer: WireWriter, tag: number, message: MembershipMessage): void {
  const sizeHint = membershipSizeHint(message);
  const start = writer.open(tag, sizeHint);
  writer.textOrDefault(0x0a, message.from);
  writer.textOrDefault(0x12, message.to);
  writer.uint(0x18, message.incarnation);
  writer.uint(0x20, message.epoch);
  for (const news of message.news) writeNews(writer, 0x2a, news);
  writeBody(writer, message.body);
  writer.close(start, sizeHint);
}

function writeNews(writer: WireWriter, tag: number, news: News): void {
  const sizeHint = newsBytesFixed + news.id.length + news.by.length;
  const start = writer.open(tag, sizeHint);
  writer.textOrDefault(0x0a, news.id);
  writer.uint(0x10, statesInWireOrder.indexOf(news.state));
  writer.uint(0x18, news.incarnation);
  writer.textOrDefault(0x22, news.by);
  writer.uint(0x28, news.ageMs);
  writer.close(start, sizeHint);
}

function writeBody(writer: WireWriter, body: MessageBody): void {
  const sizeHint = bodySizeHint(body);
  const start = writer.open(bodyTags[body.kind], sizeHint);
  switch (body.kind) {
    case "ping":
    case "ack":
    case "nack":
      writer.uint(0x08, body.sequence);
      break;
    case "ping-request":
      writer.uint(0x08, body.sequence);
      writer.textOrDefault(0x12, body.target);
      break;
    case "compare":
      writer.fixed32OrDefault(0x0d, body.digest);
      break;
    case "table":
      for (const entry of body.entries) writeNews(writer, 0x0a, entry);
      writer.bool(0x10, body.isQuestion);
      break;
    case "gossip":
      break;
  }
  writer.close(start, sizeHint);
}

const nobody = "" as NodeId;

/** What stands for a message that could not be read: the caller sees that the reader failed. */
export const noMessage: MembershipMessage = {
  from: nobody,
  to: nobody,
  incarnation: 0,
  epoch: 0,
  news: [],
  body: { kind: "gossip" },
};

/** Reads a MembershipMessage with its length; the caller checks whether the reader failed. */
export function readMembership(reader: WireReader): MembershipMessage {
  const rest = { incarnation: 0, epoch: 0 };
  const news: News[] = [];
  let from = nobody;
  let to = nobody;
  let body: MessageBody | undefined;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) from = readNodeId(reader);
    else if (tag === 0x12) to = readNodeId(reader);
    else if (tag === 0x18) rest.incarnation = reader.uint();
    else if (tag === 0x20) rest.epoch = reader.uint();
    else if (tag === 0x2a && news.length < newsMax) news.push(readNews(reader));
    else {
      const read = readBody(reader, tag);
      if (read === undefined) reader.skip(tag);
      else body = read;
    }
  }
  if (from === nobody || to === nobody || body === undefined) reader.fail();
  reader.leave(outer);
  return { from, to, ...rest, news, body: body ?? noMessage.body };
}

function readNews(reader: WireReader): News {
  const rest = { incarnation: 0, ageMs: 0 };
  let id = nobody;
  let by = nobody;
  let number = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) id = readNodeId(reader);
    else if (tag === 0x10) number = reader.uint();
    else if (tag === 0x18) rest.incarnation = reader.uint();
    else if (tag === 0x22) by = readNodeId(reader);
    else if (tag === 0x28) rest.ageMs = reader.uint();
    else reader.skip(tag);
  }
  const state = statesInWireOrder[number];
  if (id === nobody || by === nobody || state === undefined) reader.fail();
  reader.leave(outer);
  return { id, state: state ?? "alive", by, ...rest };
}

function readBody(reader: WireReader, tag: number): MessageBody | undefined {
  switch (tag) {
    case bodyTags.ping:
      return { kind: "ping", sequence: readSequence(reader) };
    case bodyTags.ack:
      return { kind: "ack", sequence: readSequence(reader) };
    case bodyTags.nack:
      return { kind: "nack", sequence: readSequence(reader) };
    case bodyTags["ping-request"]:
      return readPingRequest(reader);
    case bodyTags.gossip: {
      const outer = reader.enter();
      for (let tag = reader.next(); tag !== 0; tag = reader.next()) reader.skip(tag);
      reader.leave(outer);
      return { kind: "gossip" };
    }
    case bodyTags.compare:
      return readCompare(reader);
    case bodyTags.table:
      return readTable(reader);
    default:
      return undefined;
  }
}

function readSequence(reader: WireReader): number {
  let sequence = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) sequence = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return sequence;
}

function readPingRequest(reader: WireReader): MessageBody {
  let sequence = 0;
  let target = nobody;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) sequence = reader.uint();
    else if (tag === 0x12) target = readNodeId(reader);
    else reader.skip(tag);
  }
  if (target === nobody) reader.fail();
  reader.leave(outer);
  return { kind: "ping-request", sequence, target };
}

function readCompare(reader: WireReader): MessageBody {
  let digest = 0;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) digest = reader.fixed32();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "compare", digest };
}

function readTable(reader: WireReader): MessageBody {
  const entries: News[] = [];
  let isQuestion = false;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a && entries.length < newsMax) entries.push(readNews(reader));
    else if (tag === 0x10) isQuestion = reader.bool();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "table", entries, isQuestion };
}
