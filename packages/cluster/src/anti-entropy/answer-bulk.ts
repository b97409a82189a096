import type { Clock } from "@coterie/ports";
import type { RecordStore } from "@coterie/storage";
import type {
  FetchRequest,
  MergeAllRequest,
  PeerResponse,
  RecordOutcome,
  SentRecord,
} from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import { type Replica, refusal } from "../replica/replica.ts";
import { nextTurn } from "../pause.ts";

/** Records merged before others get a turn: about a millisecond. */
export const recordsPerTurn = 64;
/** Of one message. */
const tokensMax = 4096;
const recordsMax = 4096;

export interface BulkAnswerParts {
  readonly clock: Clock;
  readonly store: RecordStore;
  readonly replica: Replica;
}

/** Answers a {@link FetchRequest} with what is durable here, whatever is left of it. */
export function answerFetch(
  { replica, store }: BulkAnswerParts,
  { tokens, bytesMax }: FetchRequest,
  settle: (response: PeerResponse) => void,
): void {
  if (tokens.length > tokensMax) return settle(refusal("too-large", "too many tokens at once"));
  const places = tokens.map((token) => ({ partition: replica.partitionOf(token), token }));
  const foreign = places.find(({ partition }) => !replica.holds(partition));
  if (foreign !== undefined) return settle(replica.notOwner(foreign.partition));
  const fences = places.map(({ partition }) => replica.fence(partition).raised);
  store.findAll({ places, bytesMax }, (found) => {
    if (found === "unknown") return settle({ kind: "unknown" });
    const records: SentRecord[] = [];
    for (const [at, held] of found.entries()) {
      for (const record of held) records.push({ record, fence: fences[at] ?? 0 });
    }
    settle({ kind: "fetched", tokens: found.length, records });
  });
}

/** Answers a {@link MergeAllRequest} when all that it brings is durable here. */
export async function answerMergeAll(
  { clock, replica }: BulkAnswerParts,
  { stamp, records }: MergeAllRequest,
): Promise<PeerResponse> {
  if (records.length > recordsMax) return refusal("too-large", "too many records at once");
  const { promise: settled, settle } = oneShot<void>();
  const outcomes: RecordOutcome[] = records.map(() => "internal");
  let pending = 1;
  const endOne = (): void => {
    pending -= 1;
    if (pending === 0) settle();
  };
  for (const [at, sent] of records.entries()) {
    if (at % recordsPerTurn === recordsPerTurn - 1) await nextTurn(clock);
    pending += 1;
    replica.receiveMerge({ kind: "merge", stamp, ...sent }, (response) => {
      outcomes[at] = outcomeOf(response);
      endOne();
    });
  }
  endOne();
  await settled;
  return { kind: "merged-all", outcomes };
}

function outcomeOf(response: PeerResponse): RecordOutcome {
  if (response.kind === "merged") return response.changed ? "changed" : "unchanged";
  return response.kind === "refused" ? response.code : "internal";
}
