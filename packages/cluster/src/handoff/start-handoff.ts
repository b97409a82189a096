import type { NodeConfig, NodePorts } from "../node-config.ts";
import type { Coordination } from "../coordinator/coordination.ts";
import { mergeCopy } from "../coordinator/replica-calls.ts";
import { deliverHints } from "../hints/hint-debt.ts";
import { isTaker } from "../moves/roles.ts";
import { callMs } from "./debt.ts";
import { clientsComeFirst } from "./demand.ts";
import { Handoff } from "./handoff.ts";
import { MissedKeys } from "./missed-keys.ts";
import type { DecodedOwed } from "./owed-codec.ts";

/** What a start knows of the time before it. */
export interface HandoffBefore {
  /** What the node owed when it last ran; `undefined` if nothing was written down. */
  readonly owed: DecodedOwed | undefined;
  /** The node ran before and did not stop in order, or does not know what it owed. */
  readonly hasCrashed: boolean;
}

export interface HandoffStart
  extends
    HandoffBefore,
    Pick<
      Coordination,
      "self" | "store" | "hints" | "fences" | "replica" | "ring" | "pressure" | "counters"
    > {
  readonly ports: NodePorts;
  readonly config: NodeConfig;
}

/** All that one node owes to others. */
export interface NodeHandoff {
  readonly handoff: Handoff;
  readonly missed: MissedKeys;
  /** Resolves when nothing is being paid any more, and what is owed is written down. */
  stop(): Promise<void>;
}

/** What a node owes to others from now on, and what it owed before. */
export function startHandoff({
  ports,
  config,
  owed,
  hasCrashed,
  ...shared
}: HandoffStart): NodeHandoff {
  const { clock, disk, network } = ports;
  const { inFlightMax, onEvent } = config;
  const { bytesPerSecond, keysMax } = config.handoff;
  const calls = { ...shared, network };
  const handoff = new Handoff({
    ...calls,
    clock,
    bytesPerSecond,
    isBusy: clientsComeFirst({ ...shared, clock }, inFlightMax),
    onEvent: (event) => onEvent({ kind: "handoff", event }),
  });
  deliverHints(shared.hints, handoff, {
    self: shared.self,
    primariesOf: ({ bucket, partition }) => {
      const ring = shared.ring();
      const n = ring.bucket(bucket)?.n ?? 0;
      const lists = [ring.owners(partition), ring.next(partition) ?? []];
      const primaries = new Set(lists.flatMap((members) => members.slice(0, n)));
      return [...primaries].map(({ id }) => id);
    },
    takes: (target, partition) => isTaker(shared.ring(), target, partition),
    mergeAt: (id, placed, stored, settle) => {
      const { stamp } = shared.ring();
      const member = shared.ring().member(id);
      if (member === undefined) return settle(false);
      const plan = { placed, stamp, deadline: clock.monotonicMs() + callMs };
      mergeCopy(calls, member, plan, stored, (outcome) => {
        // As in a payment: it was delivered before anything was reaped.
        settle(outcome.ok || outcome.code === "behind-fence");
      });
    },
    fenceOf: (partition) => shared.fences.of(partition).raised,
  });
  const { onFatal } = config.store;
  const missed = new MissedKeys({ ...shared, clock, disk, handoff, keysMax, onFatal });
  if (owed?.ok === true) missed.adopt(owed.owed);
  if (hasCrashed) missed.suspectAll();
  missed.begin();
  const stop = async (): Promise<void> => {
    await handoff.stop();
    await missed.stop();
  };
  return { handoff, missed, stop };
}
