/** Keys are bytes, buckets are names: `[a-z0-9._-]{1,64}`. */
export interface Key {
  readonly bucket: string;
  /** 1 to {@link keyBytesMax} bytes. */
  readonly key: Uint8Array;
}

export const keyBytesMax = 2048;

const BUCKET = /^[a-z0-9._-]{1,64}$/u;

/** True if `name` is a well-formed bucket name; whether the bucket exists is another question. */
export function isBucketName(name: string): boolean {
  return BUCKET.test(name);
}
