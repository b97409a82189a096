import {
  type ErrorCode,
  type Lifetime,
  isBucketName,
  keyBytesMax,
  lifetimeProblem,
  limits,
} from "@coterie/core";

// What every door checks of a request before a node sees it, in the same words.

/** Why a request is refused at the door. */
export interface RequestProblem {
  readonly code: ErrorCode;
  readonly message: string;
}

const bucketProblem: RequestProblem = {
  code: "bad-request",
  message: "a bucket's name is 1 to 64 of a-z 0-9 . _ -",
};

const contentTypeProblem: RequestProblem = {
  code: "bad-request",
  message: `a content type is at most ${limits.contentTypeBytesMax} printable characters`,
};

/** What is wrong with the name of a bucket. */
export function problemWithBucket(bucket: string): RequestProblem | undefined {
  return isBucketName(bucket) ? undefined : bucketProblem;
}

/** What is wrong with a key and its bucket. */
export function problemWithKey(bucket: string, key: Uint8Array): RequestProblem | undefined {
  if (!isBucketName(bucket)) return bucketProblem;
  if (key.length >= 1 && key.length <= keyBytesMax) return undefined;
  const message = `a key has 1 to ${keyBytesMax} bytes, not ${key.length}`;
  return { code: "bad-request", message };
}

/** What is wrong with the content type that a value is given; an empty one is none. */
export function problemWithContentType(contentType: string): RequestProblem | undefined {
  return contentType === "" || isContentType(contentType) ? undefined : contentTypeProblem;
}

/** What is wrong with a value of so many bytes. */
export function problemWithValue(bytes: number, bytesMax: number): RequestProblem | undefined {
  if (bytes <= bytesMax) return undefined;
  return { code: "too-large", message: `a value has at most ${bytesMax} bytes` };
}

/** What is wrong with how long a value is to live. */
export function problemWithLifetime(lifetime: Lifetime): RequestProblem | undefined {
  const message = lifetimeProblem(lifetime);
  return message === undefined ? undefined : { code: "bad-request", message };
}

/** What may stand in a header, at most as long as is kept; a parameter may be quoted. */
export function isContentType(text: string): boolean {
  return text.length <= limits.contentTypeBytesMax && /^[\x20-\x7e]+$/u.test(text);
}
