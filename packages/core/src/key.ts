/** Keys are bytes, buckets are names: `[a-z0-9._-]{1,64}`. */
export interface Key {
  readonly bucket: string;
  /** 1 to {@link keyBytesMax} bytes. */
  readonly key: Uint8Array;
}

export const keyBytesMax = 2048;

const bucketNameMax = 64;

/** True if `name` is a well-formed bucket name; whether the bucket exists is another question. */
export function isBucketName(name: string): boolean {
  if (name.length < 1 || name.length > bucketNameMax) return false;
  for (let at = 0; at < name.length; at += 1) if (!isNameCode(name.charCodeAt(at))) return false;
  return true;
}

/** `[a-z0-9._-]`, without a regular expression: every record that is decoded names its bucket. */
function isNameCode(code: number): boolean {
  const isLetter = code >= 0x61 && code <= 0x7a;
  return (
    isLetter || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x5f
  );
}
