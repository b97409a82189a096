import { withBucket, type KeyOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { newWriteId, notFound, type BucketClient, type WriteReply } from "../http/bucket-client.ts";
import { keyFromArgument } from "../http/keys.ts";
import type { Terminal } from "../terminal.ts";
import { valueFromArgument } from "./value.ts";

/** Where the causal context of a write comes from. */
export interface WriteOptions extends KeyOptions {
  /** As a read returned it. */
  readonly context?: string;
  /** No context at all: the write is concurrent with what is there. */
  readonly blind?: boolean;
  readonly contentType?: string;
  /** Milliseconds that the value lives. */
  readonly ttl?: number | "never";
}

/** `coterie put KEY VALUE`: reads the context first, so that it replaces what is there. */
export async function put(
  keyText: string,
  argument: string,
  options: WriteOptions,
): Promise<ExitCode> {
  const key = keyFromArgument(keyText, options.key64 === true);
  const { value, contentType } = await valueFromArgument(argument);
  return withBucket(options, async (bucket, terminal) => {
    const reply = await bucket.put(key, {
      value,
      contentType: options.contentType ?? contentType,
      context: await contextFor(bucket, key, options),
      writeId: newWriteId(),
      ttl: options.ttl,
    });
    await report(terminal, `put ${bucket.label(key)}`, reply, options);
    return exitCodes.ok;
  });
}

/** `coterie delete KEY`: deletes what a read finds, or what --context covers. */
export function deleteKey(keyText: string, options: WriteOptions): Promise<ExitCode> {
  const key = keyFromArgument(keyText, options.key64 === true);
  return withBucket(options, async (bucket, terminal) => {
    let context = options.context;
    if (context === undefined && options.blind !== true) {
      const found = await bucket.look(key);
      if (!found.isPresent) throw notFound(bucket.label(key));
      context = found.context;
    }
    const reply = await bucket.delete(key, context);
    await report(terminal, `delete ${bucket.label(key)}`, reply, options);
    return exitCodes.ok;
  });
}

export interface ResolveOptions extends WriteOptions {
  /** Which of the siblings becomes the value, counted from 1. */
  readonly pick?: number;
}

/** `coterie resolve KEY VALUE|--pick N`: one value in place of all siblings read just before. */
export async function resolve(
  keyText: string,
  argument: string | undefined,
  options: ResolveOptions,
): Promise<ExitCode> {
  const key = keyFromArgument(keyText, options.key64 === true);
  if ((argument === undefined) === (options.pick === undefined)) {
    throw new CliFailure(
      exitCodes.usage,
      "resolve takes either a VALUE or --pick N",
      "`coterie siblings KEY` numbers the values to pick from",
    );
  }
  const given = argument === undefined ? undefined : await valueFromArgument(argument);
  return withBucket(options, async (bucket, terminal) => {
    const state = await bucket.readAll(key, "all");
    if (state.siblings.length === 0) throw notFound(bucket.label(key));
    const chosen = given ?? state.siblings[(options.pick ?? 0) - 1];
    if (chosen === undefined) {
      throw new CliFailure(
        exitCodes.usage,
        `${bucket.label(key)} holds ${state.siblings.length} values; there is no number ` +
          `${options.pick}`,
        "`coterie siblings KEY` numbers the values to pick from",
      );
    }
    const reply = await bucket.put(key, {
      value: chosen.value,
      contentType: options.contentType ?? chosen.contentType,
      context: options.context ?? state.context,
      writeId: newWriteId(),
      ttl: options.ttl,
    });
    await report(terminal, `resolve ${bucket.label(key)}`, reply, options);
    return exitCodes.ok;
  });
}

async function contextFor(
  bucket: BucketClient,
  key: Uint8Array,
  options: WriteOptions,
): Promise<string | undefined> {
  if (options.context !== undefined) return options.context;
  return options.blind === true ? undefined : (await bucket.look(key)).context;
}

async function report(
  terminal: Terminal,
  what: string,
  { context, siblings, acks }: WriteReply,
  { json }: KeyOptions,
): Promise<void> {
  if (json === true) {
    await terminal.data(`${JSON.stringify({ context: context ?? null, siblings, acks })}\n`);
  } else if (terminal.isInteractive) {
    terminal.say(`${what}: ok${acks === "" ? "" : ` (${acks})`}`);
  }
  if (siblings > 1) {
    terminal.say(
      `coterie: the key now holds ${siblings} siblings; \`coterie siblings\` lists them`,
    );
  }
}
