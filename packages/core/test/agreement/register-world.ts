import { type AcceptorState, accept, prepare } from "../../src/agreement/acceptor.ts";
import { type Ballot, ballotAbove, ballotZero } from "../../src/agreement/ballot.ts";
import { Proposal, type ProposalPhase } from "../../src/agreement/proposal.ts";

/** A value is the list of all changes that made it: what was lost would be missing. */
export type Changes = readonly string[];

/** Bugs that the properties have to find. */
export interface PlantedBug {
  /** An acceptor answers before its promise or vote is durable, and forgets it in a crash. */
  readonly forgets?: boolean;
  /** A proposer asks not all voters, and so counts a majority of too few. */
  readonly countsShort?: boolean;
  /** A proposer takes the value that it hears of first, not the one of the highest ballot. */
  readonly takesAny?: boolean;
}

interface Proposer {
  readonly name: string;
  promised: Ballot;
  proposal: Proposal<Changes> | undefined;
  /** Which proposal's messages still count. */
  lifetime: number;
}

type Letter = () => void;

const fresh: AcceptorState<Changes> = {
  promised: ballotZero,
  accepted: { ballot: ballotZero, value: [] },
};

/** Proposers and acceptors of one register over a network that loses, repeats and reorders. */
export class RegisterWorld {
  /** Every value that was chosen, in the order in which proposers knew it. */
  readonly chosen: { readonly value: Changes; readonly change: string }[] = [];
  readonly #bug: PlantedBug;
  readonly #acceptors: AcceptorState<Changes>[];
  /** What an acceptor has on its disk: with the planted bug, it lags behind. */
  readonly #disks: AcceptorState<Changes>[];
  readonly #up: boolean[];
  readonly #proposers: readonly Proposer[];
  #letters: Letter[] = [];
  #changes = 0;

  constructor(acceptors: number, proposers: number, bug: PlantedBug = {}) {
    this.#bug = bug;
    this.#acceptors = Array.from({ length: acceptors }, () => fresh);
    this.#disks = Array.from({ length: acceptors }, () => fresh);
    this.#up = Array.from({ length: acceptors }, () => true);
    this.#proposers = Array.from({ length: proposers }, (_, at) => ({
      name: (at + 1).toString(16).padStart(32, "0"),
      promised: ballotZero,
      proposal: undefined,
      lifetime: 0,
    }));
  }

  /** A proposer begins to change the register, and gives up what it was about. */
  propose(which: number): void {
    const proposer = this.#proposer(which);
    const change = `${proposer.name.at(-1)}:${(this.#changes += 1)}`;
    proposer.promised = ballotAbove(proposer.promised, proposer.name);
    proposer.lifetime += 1;
    const all = this.#acceptors.map((_, at) => String(at));
    const near = all.filter((_, at) => at % 2 === which % 2);
    const voters = this.#bug.countsShort === true && near.length > 0 ? near : all;
    const proposal = new Proposal<Changes>({
      ballot: proposer.promised,
      voters,
      change: (current) => [...current, change],
    });
    proposer.proposal = proposal;
    const { lifetime } = proposer;
    for (const voter of proposal.voters) {
      this.#post(() => this.#prepare(proposer, { proposal, lifetime, change }, Number(voter)));
    }
  }

  /** Delivers one of the letters on their way; `isLast`: it will not come again. */
  deliver(which: number, isLast: boolean): void {
    if (this.#letters.length === 0) return;
    const at = which % this.#letters.length;
    const letter = this.#letters[at] as Letter;
    if (isLast) this.#letters.splice(at, 1);
    letter();
  }

  lose(which: number): void {
    if (this.#letters.length > 0) this.#letters.splice(which % this.#letters.length, 1);
  }

  /** An acceptor ends and starts again, now, with what is on its disk. */
  crash(which: number): void {
    const at = which % this.#acceptors.length;
    this.#acceptors[at] = this.#disks[at] as AcceptorState<Changes>;
  }

  /** With the planted bug: what an acceptor has said becomes durable at last. */
  sync(which: number): void {
    const at = which % this.#acceptors.length;
    this.#disks[at] = this.#acceptors[at] as AcceptorState<Changes>;
  }

  /** An acceptor hears nothing until it is up again. */
  toggle(which: number): void {
    const at = which % this.#up.length;
    this.#up[at] = this.#up[at] !== true;
  }

  /** Everybody is up, every letter arrives: then one more change has to succeed. */
  heal(): void {
    this.#up.fill(true);
    this.#letters = [];
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const before = this.chosen.length;
      this.propose(0);
      while (this.#letters.length > 0) this.deliver(0, true);
      if (this.chosen.length > before) return;
    }
  }

  #prepare(proposer: Proposer, round: Round, at: number): void {
    if (this.#up[at] !== true) return;
    const step = prepare(this.#acceptors[at] as AcceptorState<Changes>, round.proposal.ballot);
    this.#keep(at, step.state);
    const { reply } = step;
    const heard =
      this.#bug.takesAny === true && reply.kind === "promised"
        ? { ...reply, accepted: { ...reply.accepted, ballot: ballotZero } }
        : reply;
    this.#post(() => {
      if (proposer.lifetime !== round.lifetime) return;
      const before = round.proposal.phase.phase;
      round.proposal.receivePromise(String(at), heard);
      this.#follow(proposer, round, before);
    });
  }

  #accept(proposer: Proposer, round: Round, at: number, value: Changes): void {
    if (this.#up[at] !== true) return;
    const vote = { ballot: round.proposal.ballot, value };
    const step = accept(this.#acceptors[at] as AcceptorState<Changes>, vote);
    this.#keep(at, step.state);
    this.#post(() => {
      if (proposer.lifetime !== round.lifetime) return;
      const before = round.proposal.phase.phase;
      round.proposal.receiveAcceptance(String(at), step.reply);
      this.#follow(proposer, round, before);
    });
  }

  #follow(proposer: Proposer, round: Round, before: ProposalPhase<Changes>["phase"]): void {
    const { phase, outbidBy } = round.proposal;
    if (outbidBy !== undefined && outbidBy.round > proposer.promised.round) {
      proposer.promised = { round: outbidBy.round, proposer: proposer.name };
    }
    if (phase.phase === before) return;
    if (phase.phase === "accepting") {
      const { value } = phase;
      for (const voter of round.proposal.voters) {
        this.#post(() => this.#accept(proposer, round, Number(voter), value));
      }
    }
    if (phase.phase === "chosen") this.chosen.push({ value: phase.value, change: round.change });
  }

  #keep(at: number, state: AcceptorState<Changes>): void {
    this.#acceptors[at] = state;
    if (this.#bug.forgets !== true) this.#disks[at] = state;
  }

  #post(letter: Letter): void {
    this.#letters.push(letter);
  }

  #proposer(which: number): Proposer {
    return this.#proposers[which % this.#proposers.length] as Proposer;
  }
}

interface Round {
  readonly proposal: Proposal<Changes>;
  readonly lifetime: number;
  readonly change: string;
}
