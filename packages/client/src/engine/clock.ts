/** Takes back what was scheduled; harmless when it has already fired. */
export type Cancel = () => void;

/** Time as the client sees it; simulated in tests. */
export interface Clock {
  /** Milliseconds, never going backwards. */
  monotonicMs(): number;
  wallMs(): number;
  /** Fires once, at or after `deadlineMs`, never within the call; keeps no process alive. */
  at(deadlineMs: number, fire: () => void): Cancel;
  /** Fires once when everything that is ready to run now has run. */
  afterTurn(fire: () => void): void;
  /** Keeps the process alive until a {@link release} for each: somebody waits for an answer. */
  hold(): void;
  release(): void;
  /** Nothing fires any more. */
  close(): void;
}
