import { type Command, InvalidArgumentError, Option } from "commander";

/** A whole number of at least `least`, as an option's value. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/u.test(text) || number < least || number > most) {
      throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

const BUCKET = /^[a-z0-9._-]{1,64}$/u;

/** The name of a bucket. */
export function bucketName(text: string): string {
  if (!BUCKET.test(text)) throw new InvalidArgumentError("Buckets match [a-z0-9._-]{1,64}.");
  return text;
}

const CONTEXT = /^[\w-]{1,4096}$/u;

/** `--context`. */
export function causalContext(text: string): string {
  if (!CONTEXT.test(text)) throw new InvalidArgumentError("A context is as a read returned it.");
  return text;
}

/** `--cursor` of a scan: it goes into a query as it is. */
export function scanCursor(text: string): string {
  if (!/^[\w.~-]{1,4096}$/u.test(text)) {
    throw new InvalidArgumentError("A cursor is as an earlier scan returned it.");
  }
  return text;
}

/** `--content-type`: what an HTTP header can carry. */
export function contentType(text: string): string {
  if (!/^[\u0020-\u007e]{1,255}$/u.test(text)) {
    throw new InvalidArgumentError("It takes 1 to 255 ASCII characters.");
  }
  return text;
}

const durationUnits: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** `--ttl` of a value: how long it lives, or that it does so for ever. */
export function lifetime(text: string): number | "never" {
  return text === "never" ? text : timeToLive(text);
}

/** `--ttl`: a duration in milliseconds, to ten years. */
export function timeToLive(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,15})(ms|s|m|h|d)$/u.exec(text) ?? [];
  const ms = Number(digits) * (durationUnits.get(unit) ?? Number.NaN);
  if (!(ms >= 1 && ms <= 10 * 365 * 86_400_000)) {
    throw new InvalidArgumentError("It takes 1ms to 3650d, such as 500ms, 30s, 15m, 12h, 7d.");
  }
  return ms;
}

/** An option that may be repeated. */
export function collect(text: string, sofar: readonly string[] | undefined): readonly string[] {
  return [...(sofar ?? []), text];
}

/** `--node`, `--timeout` and `--json`. */
export function withNodeOptions(command: Command): Command {
  return command
    .option(
      "--node <url>",
      "a node's HTTP address; repeat or separate by commas (COTERIE_NODES)",
      collect,
    )
    .option("--timeout <ms>", "how long to wait for an answer", wholeNumber(1, 3_600_000))
    .option("--json", "print JSON, bytes in base64");
}

/** `--bucket` and `--key64`. */
export function withKeyOptions(command: Command): Command {
  return withNodeOptions(command)
    .option("--bucket <name>", "the bucket", bucketName, "default")
    .option("--key64", "the key is given in base64 instead of text");
}

/** `--r` and `--pr`, and whether only primaries count. */
export function withReadQuorum(command: Command): Command {
  const strict = new Option("--strict", "only primaries count").conflicts("sloppy");
  const sloppy = "fallbacks may stand in for primaries out of reach";
  return command
    .addOption(strict)
    .option("--sloppy", sloppy)
    .option("--r <count>", "replicas that must answer the read", wholeNumber(1, 99))
    .option("--pr <count>", "of these, how many must be primaries", wholeNumber(0, 99));
}

/** `--w` and `--pw`. */
export function withWriteQuorum(command: Command): Command {
  return command
    .option("--w <count>", "replicas that must have stored the write", wholeNumber(1, 99))
    .option("--pw <count>", "of these, how many must be primaries", wholeNumber(0, 99));
}

/** `--context`, `--blind` and `--content-type`. */
export function withContextOptions(command: Command, blindly: string): Command {
  return command
    .option("--context <context>", "send this context instead of reading one first", causalContext)
    .option("--blind", `send no context: ${blindly}`);
}

/** `--bucket` alone, for commands about a whole bucket. */
export function withBucketOption(command: Command): Command {
  return withNodeOptions(command).option("--bucket <name>", "the bucket", bucketName, "default");
}
