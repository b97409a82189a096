import { type Key, utf8 } from "@coterie/core";
import type { BucketKnobs, SwarmKnobs } from "./swarm-knobs.ts";

/** A key as clients name it, and where it is. */
export interface ContendedKey {
  readonly name: string;
  readonly place: Key;
  readonly bucket: BucketKnobs;
}

/** The keys that clients read and write, in all buckets in turn. */
export function contendedKeys({ keys, buckets }: SwarmKnobs): readonly ContendedKey[] {
  return Array.from({ length: keys }, (_, index) => {
    const bucket = buckets[index % buckets.length] as BucketKnobs;
    const place = { bucket: bucket.name, key: utf8(`key-${index}`) };
    return { name: `${bucket.name}/key-${index}`, place, bucket };
  });
}
