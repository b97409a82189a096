/** How patient the coordinator's stories are. */
export interface CoordinationTuning {
  /**
   * Milliseconds of silence after which a read asks one more replica, at most: it is past what 95
   * of 100 reads take at the replicas it asked.
   */
  readonly hedgeAfterMs: number;
  /** And at least; left out: 5. */
  readonly hedgeMsMin?: number;
  /** Of a hundred reads so many may hedge, beside a small burst; left out: 10. */
  readonly hedgePercentMax?: number;
  /** Milliseconds one forwarding attempt may take while other primaries are left to try. */
  readonly forwardAttemptMs: number;
  /** Deadline of a request that names none, in milliseconds. */
  readonly timeoutMsDefault: number;
  /** From so many gets a second at this node on a key is hot; left out: 10. */
  readonly hotReadsPerSecond?: number;
  /** Records of one key that are under way to one node before others wait; left out: 8. */
  readonly recordsUnderWayMax?: number;
  /** How long requests may have to wait for this process before fewer are let in; left out: 25. */
  readonly queueDelayMs?: number;
  /** Milliseconds that a value's bytes are kept after its deadline; left out: a minute. */
  readonly keepExpiredMs?: number;
}
