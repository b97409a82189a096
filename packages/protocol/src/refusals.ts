import type { PeerRefusal } from "@coterie/cluster";

/** In the order of their numbers on the wire, which begin with 1. Append only. */
export const refusalsInWireOrder: readonly PeerRefusal[] = [
  "stale-epoch",
  "other-cluster",
  "not-owner",
  "not-ready",
  "shutting-down",
  "overloaded",
  "disk-full",
  "malformed",
  "clock-skew",
  "expired",
  "bad-context",
  "no-such-bucket",
  "too-many-siblings",
  "too-many-actors",
  "too-large",
  "quorum-not-met",
  "timeout",
  "internal",
  "not-fallback",
  "hints-full",
  "behind-fence",
];

const refusalNumbers: ReadonlyMap<PeerRefusal, number> = new Map(
  refusalsInWireOrder.map((code, index) => [code, index + 1]),
);

export function refusalNumber(code: PeerRefusal): number {
  return refusalNumbers.get(code) ?? 0;
}

/** A newer peer's reason is still a refusal, and whether it acted is said apart from it. */
export function refusalOf(number: number): PeerRefusal {
  return refusalsInWireOrder[number - 1] ?? "internal";
}
