import { WireReader } from "../wire-reader.ts";
import { WireWriter } from "../wire-writer.ts";

/** Elements of one list; a longer one is malformed. More than any ring has partitions. */
const elementsMax = 65_536;
/** Members that own one partition. */
const ownersMax = 64;
const partHint = 100;

/** What a client must know of the cluster (cluster.proto). */
export interface ClusterDescription {
  /** Of the ring; a greater one replaces a smaller. */
  readonly epoch: number;
  /** The node that answered. */
  readonly node: string;
  readonly members: readonly DescribedMember[];
  readonly buckets: readonly DescribedBucket[];
  /** By partition: indices into members; a bucket's primaries are the first n. */
  readonly partitions: readonly (readonly number[])[];
  /** What makes partitions of keys: `md5` or `redis-slots`; empty, from older nodes, is `md5`. */
  readonly hash: string;
}

export interface DescribedMember {
  readonly id: string;
  /** `host:port` of its client gRPC door. */
  readonly grpc: string;
  readonly http: string;
  readonly host: string;
  readonly zone: string;
}

export interface DescribedBucket {
  readonly name: string;
  /** `siblings` or `lww`. */
  readonly policy: string;
  readonly n: number;
  readonly r: number;
  readonly w: number;
  readonly pr: number;
  readonly pw: number;
}

/** The encoded ClusterDescription. */
export function encodeClusterDescription(description: ClusterDescription): Uint8Array {
  const writer = new WireWriter();
  writer.uint(0x08, description.epoch);
  writer.textOrDefault(0x12, description.node);
  for (const member of description.members) {
    const start = writer.open(0x1a, partHint);
    writer.textOrDefault(0x0a, member.id);
    writer.textOrDefault(0x12, member.grpc);
    writer.textOrDefault(0x1a, member.http);
    writer.textOrDefault(0x22, member.host);
    writer.textOrDefault(0x2a, member.zone);
    writer.close(start, partHint);
  }
  for (const bucket of description.buckets) {
    const start = writer.open(0x22, partHint);
    writer.textOrDefault(0x0a, bucket.name);
    writer.textOrDefault(0x12, bucket.policy);
    writer.uint(0x18, bucket.n);
    writer.uint(0x20, bucket.r);
    writer.uint(0x28, bucket.w);
    writer.uint(0x30, bucket.pr);
    writer.uint(0x38, bucket.pw);
    writer.close(start, partHint);
  }
  for (const owners of description.partitions) {
    const start = writer.open(0x2a, 8);
    writer.packedUints(0x0a, owners);
    writer.close(start, 8);
  }
  writer.textOrDefault(0x32, description.hash);
  return writer.take();
}

/** Decodes a ClusterDescription; `undefined` if it is malformed, or names members it has not. */
export function decodeClusterDescription(bytes: Uint8Array): ClusterDescription | undefined {
  const reader = new WireReader(bytes, "skip");
  const members: DescribedMember[] = [];
  const buckets: DescribedBucket[] = [];
  const partitions: (readonly number[])[] = [];
  let epoch = 0;
  let node = "";
  let hash = "";
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x08) epoch = reader.uint();
    else if (tag === 0x12) node = reader.text();
    else if (tag === 0x1a) add(reader, members, readMember);
    else if (tag === 0x22) add(reader, buckets, readBucket);
    else if (tag === 0x2a) add(reader, partitions, readOwners);
    else if (tag === 0x32) hash = reader.text();
    else reader.skip(tag);
  }
  const isKnown = partitions.every((owners) => owners.every((index) => index < members.length));
  if (reader.failed || !isKnown) return undefined;
  return { epoch, node, members, buckets, partitions, hash };
}

function add<Part>(reader: WireReader, parts: Part[], read: (reader: WireReader) => Part): void {
  if (parts.length >= elementsMax) {
    reader.fail();
    return;
  }
  const outer = reader.enter();
  parts.push(read(reader));
  reader.leave(outer);
}

function readMember(reader: WireReader): DescribedMember {
  const member = { id: "", grpc: "", http: "", host: "", zone: "" };
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) member.id = reader.text();
    else if (tag === 0x12) member.grpc = reader.text();
    else if (tag === 0x1a) member.http = reader.text();
    else if (tag === 0x22) member.host = reader.text();
    else if (tag === 0x2a) member.zone = reader.text();
    else reader.skip(tag);
  }
  return member;
}

function readBucket(reader: WireReader): DescribedBucket {
  const bucket = { name: "", policy: "", n: 0, r: 0, w: 0, pr: 0, pw: 0 };
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) bucket.name = reader.text();
    else if (tag === 0x12) bucket.policy = reader.text();
    else if (tag === 0x18) bucket.n = reader.uint();
    else if (tag === 0x20) bucket.r = reader.uint();
    else if (tag === 0x28) bucket.w = reader.uint();
    else if (tag === 0x30) bucket.pr = reader.uint();
    else if (tag === 0x38) bucket.pw = reader.uint();
    else reader.skip(tag);
  }
  return bucket;
}

function readOwners(reader: WireReader): readonly number[] {
  const owners: number[] = [];
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) reader.packedUints(owners, ownersMax);
    else reader.skip(tag);
  }
  return owners;
}
