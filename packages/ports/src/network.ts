import type { PeerAddress } from "@coterie/core";
import type { MonotonicMs } from "./clock.ts";

/**
 * Why there is no reply. `refused`: the peer surely did not execute the request. `timeout`:
 * perhaps it did. Everything else a transport knows goes to its metrics.
 */
export type NoReply = "refused" | "timeout";

export type Reply<Response> =
  | { readonly ok: true; readonly response: Response }
  | { readonly ok: false; readonly reason: NoReply };

/** Answers one request. `settle` is called at most once; a late call is dropped. */
export type Receive<Request, Response> = (
  request: Request,
  /** When the sender gives up, on this process's clock. */
  deadline: MonotonicMs,
  settle: (response: Response) => void,
) => void;

/**
 * Requests to other nodes. Messages may be lost, delayed and reordered; what asks to merge or to
 * read may arrive twice. What asks to coordinate a write arrives at most once per call: a copy
 * could be refused, and be answered before the first one, which was carried out.
 */
export interface Network<Request, Response> {
  /**
   * Sends `request` to the node at `to`. `settle` is called exactly once, never within the call
   * itself: with the peer's response, or with why there is none, at the latest shortly after
   * `deadline`. What was encoded is a copy: the caller may reuse its buffers after the call.
   */
  call(
    to: PeerAddress,
    request: Request,
    deadline: MonotonicMs,
    settle: (reply: Reply<Response>) => void,
  ): void;
  /**
   * False while calls to `to` would fail at once: a hint for choosing whom to ask. A peer that
   * nobody has called for long is taken for reachable, and found out about because of the question.
   */
  isReachable(to: PeerAddress): boolean;
}
