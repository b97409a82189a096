import { invariant } from "../invariant.ts";
import { QuorumTally } from "../quorum/tally.ts";
import type { AcceptReply, PrepareReply, Vote } from "./acceptor.ts";
import { type Ballot, compareBallots } from "./ballot.ts";

export interface ProposalInput<Value> {
  readonly ballot: Ballot;
  /** Who votes: names, each once. */
  readonly voters: readonly string[];
  /** How many of them have to agree; more than half if left out. */
  readonly required?: number;
  /** Makes the next value of the one that the register holds; perhaps the same, or none. */
  readonly change: (current: Value) => Value | undefined;
}

export type ProposalPhase<Value> =
  /** Asks the voters to promise the ballot. */
  | { readonly phase: "preparing" }
  /** Asks the voters to accept the value under the ballot. */
  | { readonly phase: "accepting"; readonly value: Value }
  /** A majority has accepted: the value is what the register holds, for ever after. */
  | { readonly phase: "chosen"; readonly value: Value }
  /** No majority can say yes any more. */
  | {
      readonly phase: "failed";
      /** Some voter may have accepted the value, so a later proposal may find and finish it. */
      readonly mayBeChosen: boolean;
    };

/**
 * One attempt to change a register by compare-and-set (CASPaxos: Rystsov, 2018, section 2.2):
 *
 *     preparing ──a majority promises──▶ accepting ──a majority accepts──▶ chosen
 *         └──── no majority can ────▶ failed ◀──── no majority can ────┘
 *
 * The change is applied to the value of the highest ballot that a majority knows of. If a value
 * was chosen before, one of that majority has accepted it or a later one, so that every value
 * accepted from then on was made from it: nothing chosen is ever lost.
 */
export class Proposal<Value> {
  readonly ballot: Ballot;
  readonly voters: readonly string[];
  readonly #change: (current: Value) => Value | undefined;
  readonly #required: number;
  #phase: ProposalPhase<Value> = { phase: "preparing" };
  #tally: QuorumTally;
  readonly #heard = new Set<string>();
  #highest: Vote<Value> | undefined;
  #outbidBy: Ballot | undefined;

  constructor({ ballot, voters, required, change }: ProposalInput<Value>) {
    invariant(new Set(voters).size === voters.length, "no voter has two votes");
    this.ballot = ballot;
    this.voters = voters;
    this.#change = change;
    const majority = Math.floor(voters.length / 2) + 1;
    this.#required = required ?? majority;
    invariant(this.#required >= majority, "any two groups that decide have a voter in common");
    this.#tally = new QuorumTally(this.#required, voters.length);
  }

  get phase(): ProposalPhase<Value> {
    return this.#phase;
  }

  /** The highest ballot that a voter preferred to this one. */
  get outbidBy(): Ballot | undefined {
    return this.#outbidBy;
  }

  /** A voter's answer to the ballot; `undefined` if there is none. Repeated ones do not count. */
  receivePromise(voter: string, reply: PrepareReply<Value> | undefined): void {
    if (this.#phase.phase !== "preparing" || !this.#isNew(voter)) return;
    const isPromised = reply?.kind === "promised" && this.#learn(reply.accepted);
    if (reply?.kind === "outbid") this.#noteOutbid(reply.promised);
    const verdict = this.#tally.record(isPromised);
    if (verdict === "unreachable") this.#phase = { phase: "failed", mayBeChosen: false };
    if (verdict !== "reached") return;
    invariant(this.#highest !== undefined, "a promise says what was accepted");
    const value = this.#change(this.#highest.value);
    this.#phase =
      value === undefined ? { phase: "failed", mayBeChosen: false } : { phase: "accepting", value };
    this.#heard.clear();
    this.#tally = new QuorumTally(this.#required, this.voters.length);
  }

  /** A voter's answer to the value; `undefined` if there is none. Repeated ones do not count. */
  receiveAcceptance(voter: string, reply: AcceptReply | undefined): void {
    if (this.#phase.phase !== "accepting" || !this.#isNew(voter)) return;
    if (reply?.kind === "outbid") this.#noteOutbid(reply.promised);
    const verdict = this.#tally.record(reply?.kind === "accepted");
    if (verdict === "reached") this.#phase = { phase: "chosen", value: this.#phase.value };
    if (verdict === "unreachable") this.#phase = { phase: "failed", mayBeChosen: true };
  }

  #isNew(voter: string): boolean {
    invariant(this.voters.includes(voter), "only voters vote");
    if (this.#heard.has(voter)) return false;
    this.#heard.add(voter);
    return true;
  }

  /** False if the vote is one that no acceptor gives with a promise of this ballot. */
  #learn(vote: Vote<Value>): boolean {
    if (compareBallots(vote.ballot, this.ballot) >= 0) return false;
    if (this.#highest === undefined || compareBallots(vote.ballot, this.#highest.ballot) > 0) {
      this.#highest = vote;
    }
    return true;
  }

  #noteOutbid(by: Ballot): void {
    if (this.#outbidBy === undefined || compareBallots(by, this.#outbidBy) > 0) {
      this.#outbidBy = by;
    }
  }
}
