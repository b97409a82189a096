import { isDeepStrictEqual } from "node:util";
import type { RawRedis, Said } from "./raw-redis.ts";

/** A line to send, and what is to be said to it. */
export type Expected = readonly [sent: string, said: Said | RegExp];

/** Sends lines one after the other; returns those to which something else was said, with that. */
export async function mismatches(
  client: RawRedis,
  exchange: readonly Expected[],
): Promise<readonly (readonly [sent: string, said: Said])[]> {
  const found: [string, Said][] = [];
  for (const [sent, expected] of exchange) {
    client.send(`${sent}\r\n`);
    const said = await client.reply();
    const isAsExpected =
      expected instanceof RegExp ? expected.test(String(said)) : isDeepStrictEqual(said, expected);
    if (!isAsExpected) found.push([sent, said]);
  }
  return found;
}
