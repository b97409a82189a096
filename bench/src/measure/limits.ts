import type { Limits } from "../report/report.ts";
import { bareQuorumRate } from "./bare-quorum.ts";
import { fdatasyncRate, loopbackEchoRate } from "./machine-limits.ts";
import { sharedFdatasyncRate } from "./shared-disk.ts";

/** Of each limit. */
const limitSeconds = 0.5;

/** What the machine can do just now: its disk, and its loopback device. */
export async function measureLimits(directory: string): Promise<Limits> {
  return {
    fdatasyncPerSecond: fdatasyncRate(directory, limitSeconds),
    sharedFdatasyncPerSecond: await sharedFdatasyncRate(directory, 3, limitSeconds),
    bareQuorumPerSecond: await bareQuorumRate(directory, limitSeconds * 2),
    echoPerSecond1: await loopbackEchoRate(1, limitSeconds),
    echoPerSecond64: await loopbackEchoRate(64, limitSeconds),
  };
}

/** A line of a report. */
export function limitsText(limits: Limits): string {
  const whole = (number: number): string => Math.round(number).toLocaleString("en");
  return (
    `limits: fdatasync ${whole(limits.fdatasyncPerSecond)}/s alone, ` +
    `${whole(limits.sharedFdatasyncPerSecond)}/s each of three at once; a bare quorum ` +
    `${whole(limits.bareQuorumPerSecond)}/s with 1; loopback echo ` +
    `${whole(limits.echoPerSecond1)}/s with 1 and ${whole(limits.echoPerSecond64)}/s with 64`
  );
}
