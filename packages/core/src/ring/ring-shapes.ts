import type { BucketSettings, ClusterSettings, Member } from "./cluster-document.ts";

// What requests read of a document, each kind in objects of one shape. In a document they are of
// many: fields that say nothing are left out, one that was read has another order of them than one
// that was made here, and a spread has a shape of its own each time. V8 compiles code for shapes
// that it has met and throws it away when there is another: with a change of the document, all that
// serves requests, at all nodes at once.

/** A member with all its fields, whichever it has. */
export function shapedMember(member: Member): Member {
  const { id, address, http, grpc, resp, host, zone, weight, nonce } = member;
  const { firstNonce, departure, vote } = member;
  return { id, address, http, grpc, resp, host, zone, weight, nonce, firstNonce, departure, vote };
}

/** Settings whose buckets have all their fields. */
export function shapedSettings(settings: ClusterSettings): ClusterSettings {
  const { partitions, hash, nMax, buckets } = settings;
  return { partitions, hash, nMax, buckets: buckets.map(shapedBucket) };
}

function shapedBucket(bucket: BucketSettings): BucketSettings {
  const { name, policy, n, r, w, pr, pw, allowStale, mode, ttlMs } = bucket;
  return { name, policy, n, r, w, pr, pw, allowStale, mode, ttlMs };
}
