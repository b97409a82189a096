import { performance } from "node:perf_hooks";
import { Lanes } from "../drivers/lanes.ts";
import { type RespAnswers, parseResp } from "../drivers/resp-answers.ts";
import { newHistogram, percentilesOf, recordMs } from "../generator/histogram.ts";
import { seededDraw } from "../workload/random.ts";
import type { RespLoad, RespResult } from "./redis-benchmark.ts";

/** What a batch of SETs ends with where they shall be on a replica too, a second at most. */
const wait = "*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$4\r\n1000\r\n";

export interface OwnLoad extends Omit<RespLoad, "command"> {
  /** One WAIT for a replica after each batch; it covers all SETs of the batch. */
  readonly isWaiting: boolean;
}

/**
 * SETs in batches as large as the pipeline, each batch sent when the one before is answered: what
 * redis-benchmark does, which cannot send WAIT. The time of a batch is the time of its SETs.
 */
export async function setLoad(load: OwnLoad): Promise<RespResult> {
  const { address, connections, pipeline, requests, isWaiting } = load;
  const answers = pipeline + (isWaiting ? 1 : 0);
  const find = (bytes: Buffer): RespAnswers | undefined => parseResp(bytes, answers);
  const lanes = await Lanes.open([address], connections, find);
  const draw = seededDraw(1);
  const histogram = newHistogram();
  let begun = 0;
  const started = performance.now();
  const lane = async (): Promise<void> => {
    while (begun < requests) {
      begun += pipeline;
      const batch = batchOf(load, () => Math.floor(draw() * load.keys));
      const from = performance.now();
      const answered = await new Promise<RespAnswers | undefined>((resolve) => {
        lanes.send([batch], resolve);
      });
      requireDone(answered, isWaiting);
      const ms = performance.now() - from;
      for (let count = 0; count < pipeline; count += 1) recordMs(histogram, ms);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, lane));
  } finally {
    lanes.close();
  }
  const { p50, p99 } = percentilesOf(histogram);
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: histogram.totalCount / seconds, p50Ms: p50, p99Ms: p99 };
}

/** The bytes of one batch, with a key from `next` for each of its SETs. */
export function batchOf(
  { pipeline, valueBytes, isWaiting }: Pick<OwnLoad, "pipeline" | "valueBytes" | "isWaiting">,
  next: () => number,
): Buffer {
  const value = `$${valueBytes}\r\n${"x".repeat(valueBytes)}\r\n`;
  const sets = Array.from({ length: pipeline }, () => {
    const key = `key:${String(next()).padStart(12, "0")}`;
    return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n${value}`;
  });
  return Buffer.from(sets.join("") + (isWaiting ? wait : ""), "latin1");
}

/** Nothing is a figure that was not done: every SET is OK, and one replica at least has them. */
function requireDone(answered: RespAnswers | undefined, isWaiting: boolean): void {
  if (answered === undefined) throw new Error("the server closed a connection");
  const sets = isWaiting ? answered.values.slice(0, -1) : answered.values;
  const failed = sets.find(({ kind, text }) => kind !== "text" || text !== "OK");
  if (failed !== undefined) throw new Error(`SET is answered with ${failed.text}`);
  if (isWaiting && Number(answered.values.at(-1)?.text) < 1) {
    throw new Error("no replica had the SETs in time");
  }
}
