import { type Ballot, compareBallots } from "./ballot.ts";

// The acceptor of CASPaxos (Rystsov, 2018, section 2.2), as a pure function from one state to the
// next. Whoever runs it makes the new state durable BEFORE the reply leaves: an acceptor that
// forgot a promise, or what it accepted, would let two values be chosen.

/** A value, and the ballot under which it was accepted. */
export interface Vote<Value> {
  readonly ballot: Ballot;
  readonly value: Value;
}

/** All that an acceptor remembers. `accepted` is never of a higher ballot than `promised`. */
export interface AcceptorState<Value> {
  readonly promised: Ballot;
  readonly accepted: Vote<Value>;
}

export type PrepareReply<Value> =
  | { readonly kind: "promised"; readonly accepted: Vote<Value> }
  | Outbid;

export type AcceptReply = { readonly kind: "accepted" } | Outbid;

/** A higher ballot was promised already. */
export interface Outbid {
  readonly kind: "outbid";
  readonly promised: Ballot;
}

/** A new state, and what to say once it is durable; the same state where nothing changed. */
export interface AcceptorStep<Value, AcceptorReply> {
  readonly state: AcceptorState<Value>;
  readonly reply: AcceptorReply;
}

/** Promises to accept nothing below `ballot` any more, and says what was accepted last. */
export function prepare<Value>(
  state: AcceptorState<Value>,
  ballot: Ballot,
): AcceptorStep<Value, PrepareReply<Value>> {
  const order = compareBallots(ballot, state.promised);
  if (order < 0) return { state, reply: { kind: "outbid", promised: state.promised } };
  const reply = { kind: "promised", accepted: state.accepted } as const;
  // A repeated question gets the same promise.
  return { state: order === 0 ? state : { ...state, promised: ballot }, reply };
}

/** Accepts a value, unless a higher ballot was promised meanwhile. */
export function accept<Value>(
  state: AcceptorState<Value>,
  vote: Vote<Value>,
): AcceptorStep<Value, AcceptReply> {
  if (compareBallots(vote.ballot, state.promised) < 0) {
    return { state, reply: { kind: "outbid", promised: state.promised } };
  }
  const reply = { kind: "accepted" } as const;
  // One ballot has one value: a repeated question finds it accepted.
  if (compareBallots(vote.ballot, state.accepted.ballot) === 0) return { state, reply };
  return { state: { promised: vote.ballot, accepted: vote }, reply };
}
