import { withBucket, type KeyOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { notFound, type BucketClient, type KeyState } from "../http/bucket-client.ts";
import { keyFromArgument, keyLabel } from "../http/keys.ts";
import type { Terminal } from "../terminal.ts";
import { describeSiblings, keyStateJson, resolveHint } from "./siblings-text.ts";

/** `coterie get KEY`: the value's raw bytes on stdout, or exit 6 when there are several. */
export function get(keyText: string, options: KeyOptions): Promise<ExitCode> {
  const key = keyFromArgument(keyText, options.key64 === true);
  return withBucket(options, async (bucket, terminal) => {
    if (options.json !== true) {
      const reply = await bucket.read(key);
      if (reply === undefined) throw notFound(bucket.label(key));
      if (reply !== "siblings") {
        await terminal.data(reply.body);
        // A prompt right after the value is hard to read; a pipe gets the bytes and nothing else.
        if (terminal.isDataInteractive && reply.body.at(-1) !== 10) terminal.say("");
        return exitCodes.ok;
      }
    }
    const state = await bucket.readAll(key);
    if (state.siblings.length === 0) throw notFound(bucket.label(key));
    if (options.json === true) await terminal.data(keyStateJson(key, state));
    const [only] = state.siblings;
    if (state.siblings.length === 1 && only !== undefined) {
      if (options.json !== true) await terminal.data(only.value);
      return exitCodes.ok;
    }
    sayConflict(terminal, bucket, keyText, state, options);
    return exitCodes.conflict;
  });
}

/** `coterie siblings KEY`: every value that the key holds now. */
export function siblings(keyText: string, options: KeyOptions): Promise<ExitCode> {
  const key = keyFromArgument(keyText, options.key64 === true);
  return withBucket(options, async (bucket, terminal) => {
    const state = await bucket.readAll(key, "all");
    if (state.siblings.length === 0) throw notFound(bucket.label(key));
    await terminal.data(
      options.json === true ? keyStateJson(key, state) : describeSiblings(state.siblings),
    );
    if (state.siblings.length > 1 && options.json !== true) {
      terminal.say(resolveHint(keyText, options));
    }
    return exitCodes.ok;
  });
}

function sayConflict(
  terminal: Terminal,
  bucket: BucketClient,
  keyText: string,
  state: KeyState,
  options: KeyOptions,
): void {
  const label = options.key64 === true ? keyText : keyLabel(Buffer.from(keyText));
  terminal.say(
    `coterie: ${bucket.label(keyFromArgument(keyText, options.key64 === true))} holds ` +
      `${state.siblings.length} siblings: values written without knowing of each other`,
  );
  terminal.say(describeSiblings(state.siblings).trimEnd());
  terminal.say(resolveHint(label, options));
}
