import { SeededRandom } from "@coterie/sim";
import type { Feedback } from "./feedback.ts";
import { mutate, randomInput } from "./mutator.ts";
import type { FuzzTarget } from "./target.ts";

export interface CampaignInput {
  readonly target: FuzzTarget;
  readonly feedback: Feedback;
  readonly seed: string;
  /** Inputs kept by earlier campaigns, and those that once failed. */
  readonly corpus: readonly Uint8Array[];
  /** Only random bytes, and nothing is learnt: what guidance is compared with. */
  readonly isBlind: boolean;
  /** Told of every input before it runs: a hang or a crash leaves nothing else behind. */
  readonly beforeRun: (input: Uint8Array) => void;
}

/** What went wrong, and the shortest input found that still does it. */
export interface Finding {
  readonly problem: string;
  readonly input: Uint8Array;
}

export interface CampaignReport {
  readonly runs: number;
  readonly findings: readonly Finding[];
  readonly covered: number;
  readonly counters: number;
  readonly features: number;
  /** Inputs found that showed something new, those first that showed most. */
  readonly kept: readonly Uint8Array[];
}

const inputBytesMaxUsual = 4096;
const allocationMaxUsual = 1024 * 1024;
/** Of memory asked for, per byte of input. */
const allocationFactor = 256;
const findingsMax = 10;
const minimiseRunsMax = 2000;

/** Fuzzes one target: inputs that show something new are kept, and mutated further. */
export class Campaign {
  readonly #input: CampaignInput;
  readonly #random: SeededRandom;
  readonly #corpus: Uint8Array[] = [];
  readonly #kept: { readonly input: Uint8Array; readonly fresh: number }[] = [];
  readonly #findings = new Map<string, Finding>();
  readonly #bytesMax: number;
  #runs = 0;
  #isBegun = false;
  /** Features that the last execution was the first to show. */
  #fresh = 0;

  constructor(input: CampaignInput) {
    this.#input = input;
    this.#random = new SeededRandom(input.seed);
    this.#bytesMax = input.target.inputBytesMax ?? inputBytesMaxUsual;
  }

  get runs(): number {
    return this.#runs;
  }

  /** Runs a slice of the campaign; false when it has found as much as it may. */
  async run(executions: number): Promise<boolean> {
    const { target, isBlind } = this.#input;
    if (!this.#isBegun && !isBlind) {
      for (const input of [new Uint8Array(0), ...target.seeds, ...this.#input.corpus]) {
        if (await this.#try(input)) this.#corpus.push(input);
      }
    }
    this.#isBegun = true;
    for (let left = executions; left > 0; left -= 1) {
      const input = isBlind ? randomInput(this.#random, this.#bytesMax) : this.#mutant();
      if ((await this.#try(input)) && this.#fresh > 0 && !isBlind) {
        this.#corpus.push(input);
        this.#kept.push({ input, fresh: this.#fresh });
      }
      if (this.#findings.size >= findingsMax) return false;
    }
    return true;
  }

  report(): CampaignReport {
    const { feedback } = this.#input;
    return {
      runs: this.#runs,
      findings: [...this.#findings.values()],
      covered: feedback.covered,
      counters: feedback.counters,
      features: feedback.features,
      kept: this.#kept
        .toSorted((left, right) => right.fresh - left.fresh)
        .map(({ input }) => input),
    };
  }

  /** Newer inputs are mutated more often: what they reached is the least explored. */
  #mutant(): Uint8Array {
    const { feedback, target } = this.#input;
    const random = this.#random;
    const size = this.#corpus.length;
    const recent = Math.max(1, Math.ceil(size / 4));
    const at = random.chance(500) ? size - 1 - random.below(recent) : random.below(size);
    return mutate(this.#corpus[at] ?? new Uint8Array(0), random, {
      corpus: this.#corpus,
      dictionary:
        target.tokens !== undefined && random.chance(500) ? target.tokens : feedback.dictionary,
      compared: feedback.compared,
      bytesMax: this.#bytesMax,
    });
  }

  /** Runs an input; false when it showed a problem. */
  async #try(input: Uint8Array): Promise<boolean> {
    const problem = await this.#execute(input);
    if (problem === undefined) return true;
    if (this.#findings.has(problem)) return false;
    this.#findings.set(problem, { problem, input });
    const least = await this.#minimise(input, problem);
    this.#findings.set(problem, { problem, input: least });
    return false;
  }

  /** The problem that an input shows, if any. */
  async #execute(input: Uint8Array): Promise<string | undefined> {
    const { target, feedback } = this.#input;
    this.#runs += 1;
    this.#input.beforeRun(input);
    const allocationMax = target.allocationMax ?? allocationMaxUsual;
    feedback.begin(allocationMax + input.length * allocationFactor);
    try {
      // The target gets a copy: what it keeps or changes is its own.
      const running = target.run(input.slice());
      if (running !== undefined) await running;
      return undefined;
    } catch (error) {
      return problemOf(error);
    } finally {
      this.#fresh = feedback.end();
    }
  }

  /** Removes ranges and simplifies bytes as long as the same problem shows. */
  async #minimise(input: Uint8Array, problem: string): Promise<Uint8Array> {
    let least: Uint8Array = input.slice();
    const runsMax = this.#runs + minimiseRunsMax;
    const accepts = async (candidate: Uint8Array): Promise<boolean> => {
      if (this.#runs >= runsMax || (await this.#execute(candidate)) !== problem) return false;
      least = candidate;
      return true;
    };
    for (let size = least.length >> 1; size > 0; size >>= 1) {
      for (let at = 0; at < least.length;) {
        const rest = [...least.subarray(0, at), ...least.subarray(at + size)];
        if (!(await accepts(Uint8Array.from(rest)))) at += size;
      }
    }
    for (let at = 0; at < least.length; at += 1) {
      if (least[at] !== 0x30 && least[at] !== 0) {
        await accepts(Uint8Array.from(least, (byte, index) => (index === at ? 0x30 : byte)));
      }
    }
    return least;
  }
}

/** Two failures with one text are one problem: what was said, and where in our sources. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const frame = /(?:packages|tools)\/[\w./-]+\.[jt]s:\d+/u.exec(error.stack ?? "")?.[0];
  const message = error.message.split("\n")[0]?.replaceAll(/\d+/gu, "#").slice(0, 160);
  return `${error.name}: ${message} (${frame ?? "unknown place"})`;
}
