/**
 * The limits of the data model. Everything has a limit: a door, a codec or a replica refuses what
 * is over it, with a typed error, before allocating. The configuration may lower most of them.
 */
export interface Limits {
  /** Bytes of one value: 8 MiB. */
  readonly valueBytesMax: number;
  /** Encoded bytes of one record, all its siblings together. */
  readonly recordBytesMax: number;
  /** Encoded bytes of a context, as text. */
  readonly contextTextMax: number;
  /** Bytes of a content type. */
  readonly contentTypeBytesMax: number;
  /** Actors in one record's clock at which a context-free put is refused. */
  readonly actorsPerKeyMax: number;
  /** Actors in one record's clock at which a warning is counted. */
  readonly actorsPerKeyWarn: number;
  /** Siblings at which a context-free put is refused. What is there stays. */
  readonly siblingsPerKeyMax: number;
  /** Siblings at which a warning is counted. */
  readonly siblingsPerKeyWarn: number;
  /** How long a write id is remembered after its sibling was overwritten, in milliseconds. */
  readonly deadWriteMsMax: number;
  /** Dead write ids remembered per record, and write ids carried by one context. */
  readonly deadWritesMax: number;
  /** Largest counter accepted from outside; far below 2^53, so that sums stay exact. */
  readonly counterMax: number;
  /** How far ahead of our clock a remote timestamp may be before it is refused, in ms. */
  readonly clockSkewMsMax: number;
  /** The longest time to live that a put may give its value, in milliseconds: ten years. */
  readonly ttlMsMax: number;
  /** The latest deadline that a record can hold, in milliseconds since 1970. */
  readonly expiresAtMsMax: number;
}

/** The values in force. */
export const limits: Limits = {
  valueBytesMax: 8 * 1024 * 1024,
  recordBytesMax: 32 * 1024 * 1024,
  contextTextMax: 4096,
  contentTypeBytesMax: 255,
  actorsPerKeyMax: 100,
  actorsPerKeyWarn: 32,
  siblingsPerKeyMax: 100,
  siblingsPerKeyWarn: 25,
  deadWriteMsMax: 120_000,
  deadWritesMax: 64,
  counterMax: 2 ** 48,
  clockSkewMsMax: 60_000,
  ttlMsMax: 10 * 365 * 24 * 60 * 60 * 1000,
  expiresAtMsMax: 2 ** 48 - 1,
};
