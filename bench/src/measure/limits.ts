import type { Limits } from "../report/report.ts";
import { bareQuorumRate } from "./bare-quorum.ts";
import { fdatasyncRate, loopbackEchoRate } from "./machine-limits.ts";
import { sharedFdatasyncRate } from "./shared-disk.ts";

/** Of each limit. */
const limitSeconds = 0.5;

/**
 * What the machine can do just now: its disk, its loopback device and, where a client is going to
 * wait alone, a quorum with nothing in it.
 */
export async function measureLimits(
  directory: string,
  { isAlone = false }: { readonly isAlone?: boolean } = {},
): Promise<Limits> {
  return {
    fdatasyncPerSecond: fdatasyncRate(directory, limitSeconds),
    sharedFdatasyncPerSecond: await sharedFdatasyncRate(directory, 3, limitSeconds),
    bareQuorumPerSecond: isAlone ? await bareQuorumRate(directory, limitSeconds) : null,
    echoPerSecond1: await loopbackEchoRate(1, limitSeconds),
    echoPerSecond64: await loopbackEchoRate(64, limitSeconds),
  };
}

/** A line of a report. */
export function limitsText(limits: Limits): string {
  const whole = (number: number): string => Math.round(number).toLocaleString("en");
  const { bareQuorumPerSecond: bare } = limits;
  const quorum = bare === null ? "" : `a bare quorum ${whole(bare)}/s with 1; `;
  return (
    `limits: fdatasync ${whole(limits.fdatasyncPerSecond)}/s alone, ` +
    `${whole(limits.sharedFdatasyncPerSecond)}/s each of three at once; ${quorum}loopback echo ` +
    `${whole(limits.echoPerSecond1)}/s with 1 and ${whole(limits.echoPerSecond64)}/s with 64`
  );
}
