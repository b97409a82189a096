const mebibyte = 1024 * 1024;

/** How the RESP door listens, and what its clients may hold. */
export interface RespDoorOptions {
  /** `host:port`. */
  readonly address: string;
  /** The bucket whose keys it shows; its policy is `lww`. */
  readonly bucket: string;
  /** Whether FLUSHALL and FLUSHDB delete everything, or are refused. */
  readonly mayFlush: boolean;
  readonly connectionsMax: number;
  readonly valueBytesMax: number;
  /** Replies that clients have not taken, all connections together. */
  readonly unreadBytesMax: number;
  /** Commands that have not come whole, all connections together. */
  readonly heldBytesMax: number;
  readonly tuning?: Partial<RespTuning>;
}

/** What one connection may hold, and for how long. */
export interface RespTuning {
  /** Commands of one connection that are carried out at once. */
  readonly callsMax: number;
  /** Replies not taken above which a connection's next commands wait. */
  readonly pauseBytes: number;
  /** Replies not taken above which a connection is cut. */
  readonly unreadBytesMax: number;
  /** Bytes of one command, and of all commands queued between MULTI and EXEC. */
  readonly commandBytesMax: number;
  /** Without a byte moving: of a reply that waits to be taken, of a command that has begun. */
  readonly silenceMs: number;
  /** How often connections are looked at for that. */
  readonly checkMs: number;
  /** For how long INFO counts keys before it estimates. */
  readonly keyspacePatienceMs: number;
}

/** The values in force. */
export const respTuning: RespTuning = {
  callsMax: 128,
  pauseBytes: mebibyte,
  unreadBytesMax: 128 * mebibyte,
  commandBytesMax: 64 * mebibyte,
  silenceMs: 60_000,
  checkMs: 1000,
  keyspacePatienceMs: 50,
};
