import type {
  FetchRequest,
  FindRequest,
  PeerRequest,
  PeerResponse,
  ReadHintRequest,
  ReadRequest,
} from "@coterie/cluster";
import { Slab } from "@coterie/core";
import { operationSizeHint } from "@coterie/protocol";
import type { PeerOptions } from "./peer-options.ts";

const kibibyte = 1024;

/** A connection for data, by the size of what travels on it. */
export type Lane = "small" | "large" | "huge";

/** Where keys are copied to of what may have to be asked again. */
const keys: Slab = new Slab();

/**
 * Bytes of a request, and of an answer with records, that travel on a connection among others of
 * its kind; what is larger has the next one, and the last takes all. So nothing waits behind what
 * is sixteen times its size, in a socket's buffer or in a turn.
 */
const smallBytesMax = 32 * kibibyte;
const largeBytesMax = 512 * kibibyte;

/**
 * The options of each lane. Each has a budget of its own: what a stopped peer leaves unread of
 * large values takes no room from small ones.
 */
export function optionsOfLanes(options: PeerOptions): Readonly<Record<Lane, PeerOptions>> {
  const bytesMax = Math.floor(options.bytesMax / 4);
  return {
    small: { ...options, answerBytesMax: smallBytesMax, bytesMax },
    large: { ...options, answerBytesMax: largeBytesMax, bytesMax: bytesMax * 2 },
    huge: options,
  };
}

/** Where what is too large for a lane is asked for; `undefined`: it is too large for all. */
export function nextLane(lane: Lane): Lane | undefined {
  if (lane === "huge") return undefined;
  return lane === "small" ? "large" : "huge";
}

/** Which lane a request takes: by its size, or because nobody waits for it. */
export function laneOfRequest(request: PeerRequest): Lane {
  const bytes = operationSizeHint(request);
  if (bytes >= largeBytesMax) return "huge";
  return bytes >= smallBytesMax || isBackground(request) ? "large" : "small";
}

function isBackground({ kind }: PeerRequest): boolean {
  return kind === "fetch" || kind === "merge-all" || kind === "look" || kind === "compare";
}

/** What only reads records: its answer may be larger than its lane takes. */
export type RecordsRequest = ReadRequest | ReadHintRequest | FindRequest | FetchRequest;

/** True if the answer to it may be refused on a lane for its size. */
export function asksForRecords(request: PeerRequest): request is RecordsRequest {
  const { kind } = request;
  return kind === "read" || kind === "read-hint" || kind === "find" || kind === "fetch";
}

/** The request in memory of its own, in case that it must be sent again. */
export function kept(request: RecordsRequest): RecordsRequest {
  if (request.kind === "find") return request;
  if (request.kind === "fetch") return { ...request, tokens: [...request.tokens] };
  const { kind, stamp, bucket, key } = request;
  return { kind, stamp, bucket, key: keys.copy(key) };
}

/** The peer has the answer, and it is too large for the lane. */
export function isTooLargeHere(response: PeerResponse): boolean {
  return response.kind === "refused" && response.code === "too-large";
}
