/** What the gRPC door takes, and how patient it is. */
export interface GrpcDoorOptions {
  /** Bytes of one value. */
  readonly valueBytesMax: number;
  readonly connectionsMax: number;
  /** Replies that clients have not taken, all connections together. */
  readonly unreadBytesMax: number;
  /** Messages that have not come whole, all connections together; more are refused. */
  readonly begunBytesMax: number;
  /** Of one connection. */
  readonly streamsMax: number;
  /** Requests of one Pipe without an answer; more are refused. */
  readonly pipeOperationsMax: number;
  /** Bytes of their values. */
  readonly pipeBytesMax: number;
  /** Replies that a Pipe's client has not taken, above which nothing more is read from it. */
  readonly pipePauseBytes: number;
  /** Replies that a Pipe's client has not taken, above which larger ones are withheld. */
  readonly pipeUnreadBytesMax: number;
  /** How often an idle connection must show that somebody is there. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** How long a call may take to arrive or to be read without anything moving. */
  readonly silenceMs: number;
  /** HTTP/2 receive window: bytes in flight, whatever the round trip takes. */
  readonly receiveWindowBytes: number;
}

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** What is used unless the configuration or a test says otherwise. */
export const defaultGrpcOptions: Omit<
  GrpcDoorOptions,
  "valueBytesMax" | "connectionsMax" | "unreadBytesMax" | "begunBytesMax"
> = {
  streamsMax: 1024,
  pipeOperationsMax: 4096,
  pipeBytesMax: 64 * mebibyte,
  pipePauseBytes: 4 * mebibyte,
  pipeUnreadBytesMax: 64 * mebibyte,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 20_000,
  silenceMs: 60_000,
  receiveWindowBytes: 8 * mebibyte,
};

/** A message of replies is sent when it has this many, or bytes; or when the turn ends. */
export const messageRepliesMax = 256;
export const messageBytesFull: number = 64 * kibibyte;

/** Of one reply: a record may have 32 MiB, and there are names and lengths around it. */
export const replyBytesMax: number = 32 * mebibyte + 256 * kibibyte;

/** Of one message from a client: a value, or a batch of small ones, with what is around them. */
export function requestBytesMax(options: GrpcDoorOptions): number {
  return options.valueBytesMax + 4 * mebibyte;
}
