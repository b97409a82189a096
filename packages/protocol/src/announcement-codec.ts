import type { Announcement, HeardMember, NodeId, PeerAddress } from "@coterie/core";
import { readNodeId } from "./read-node-id.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** A member's texts, roughly. */
const memberHint = 127;
/** More than any cluster has; a limit because each takes memory. */
const heardMax = 4096;

/** About how many bytes an announcement takes. */
export function announcementSizeHint(announcement: Announcement): number {
  return 200 + announcement.heard.length * 64 + announcement.remark.length * 3;
}

/** Writes the fields of an Announcement. */
export function writeAnnouncement(writer: WireWriter, announcement: Announcement): void {
  const { member } = announcement;
  const start = writer.open(0x0a, memberHint);
  writer.textOrDefault(0x0a, member.id);
  writer.textOrDefault(0x12, member.address);
  writer.textOrDefault(0x1a, member.http);
  writer.textOrDefault(0x22, member.host);
  writer.textOrDefault(0x2a, member.zone);
  writer.uint(0x30, member.weight);
  writer.textOrDefault(0x3a, member.nonce);
  writer.textOrDefault(0x42, member.grpc);
  writer.textOrDefault(0x4a, member.resp);
  writer.close(start, memberHint);
  writer.textOrDefault(0x12, announcement.settingsDigest);
  writer.textOrDefault(0x1a, announcement.documentDigest);
  writer.bool(0x20, announcement.isFormed);
  for (const { id, nonce } of announcement.heard) {
    const heard = writer.open(0x2a, memberHint);
    writer.textOrDefault(0x0a, id);
    writer.textOrDefault(0x12, nonce);
    writer.close(heard, memberHint);
  }
  writer.textOrDefault(0x32, announcement.remark);
}

/** Reads an Announcement with its length; the caller checks whether the reader failed. */
export function readAnnouncement(reader: WireReader): Announcement {
  const texts = { settingsDigest: "", documentDigest: "", remark: "" };
  const heard: HeardMember[] = [];
  let member: Announcement["member"] | undefined;
  let isFormed = false;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) member = readMember(reader);
    else if (tag === 0x12) texts.settingsDigest = reader.text();
    else if (tag === 0x1a) texts.documentDigest = reader.text();
    else if (tag === 0x20) isFormed = reader.bool();
    else if (tag === 0x32) texts.remark = reader.text();
    else if (tag === 0x2a && heard.length < heardMax) heard.push(readHeard(reader));
    else reader.skip(tag);
  }
  if (member === undefined) reader.fail();
  reader.leave(outer);
  return { member: member ?? nobody, ...texts, isFormed, heard };
}

const nobody: Announcement["member"] = {
  id: "" as NodeId,
  address: "" as PeerAddress,
  http: "",
  grpc: "",
  resp: "",
  host: "",
  zone: "",
  weight: 0,
  nonce: "",
};

function readMember(reader: WireReader): Announcement["member"] {
  const texts = { http: "", grpc: "", resp: "", host: "", zone: "", nonce: "" };
  let id = nobody.id;
  let { address, weight } = nobody;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) id = readNodeId(reader);
    else if (tag === 0x12) address = reader.text() as PeerAddress;
    else if (tag === 0x1a) texts.http = reader.text();
    else if (tag === 0x22) texts.host = reader.text();
    else if (tag === 0x2a) texts.zone = reader.text();
    else if (tag === 0x30) weight = reader.uint();
    else if (tag === 0x3a) texts.nonce = reader.text();
    else if (tag === 0x42) texts.grpc = reader.text();
    else if (tag === 0x4a) texts.resp = reader.text();
    else reader.skip(tag);
  }
  if (id === "" || address === "") reader.fail();
  reader.leave(outer);
  return { id, address, weight, ...texts };
}

function readHeard(reader: WireReader): HeardMember {
  let id = nobody.id;
  let nonce = "";
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) id = readNodeId(reader);
    else if (tag === 0x12) nonce = reader.text();
    else reader.skip(tag);
  }
  if (id === "") reader.fail();
  reader.leave(outer);
  return { id, nonce };
}
