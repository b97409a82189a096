import { type RespReply, respMap, respStatus } from "@coterie/protocol";

/** One argument of a command, as COMMAND DOCS tells of it. */
interface Argument {
  readonly name: string;
  readonly type: string;
  readonly token?: string | undefined;
  readonly flags: readonly string[];
  readonly arguments: readonly Argument[];
}

/**
 * The arguments that a usage describes, as Redis' pages write it: `key [NX|XX] [EX seconds]
 * [field ...]`. Words in capitals are tokens; what stands after one belongs to it.
 */
export function argumentsOf(usage: string): RespReply {
  return sequence(usage.match(/\.\.\.|[[\]|]|[^\s[\]|]+/gu) ?? []).map(replyOf);
}

/** A list of arguments: words, tokens with their words, and parts in brackets. */
function sequence(words: readonly string[]): readonly Argument[] {
  const found: Argument[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    if (word === "[") {
      const end = closing(words, at);
      found.push(optional(words.slice(at + 1, end)));
      at = end;
    } else if (word === "...") {
      const last = found.pop();
      if (last !== undefined) found.push({ ...last, flags: [...last.flags, "multiple"] });
    } else if (isToken(word)) {
      const value = words[at + 1];
      const hasValue = value !== undefined && /^[a-z]/u.test(value);
      found.push(hasValue ? { ...valueNamed(value), token: word } : tokenNamed(word));
      if (hasValue) at += 1;
    } else found.push(valueNamed(word));
  }
  return found;
}

/** Where the bracket ends that begins at `from`. */
function closing(words: readonly string[], from: number): number {
  let depth = 0;
  for (let at = from; at < words.length; at += 1) {
    if (words[at] === "[") depth += 1;
    if (words[at] === "]") depth -= 1;
    if (depth === 0) return at;
  }
  return words.length;
}

/** What may be left out: one argument, several together, or one of several. */
function optional(words: readonly string[]): Argument {
  const ends = words.flatMap((word, at) => (word === "|" ? [at] : []));
  const starts = [0, ...ends.map((end) => end + 1)];
  const choices = starts.map((start, at) => together(words.slice(start, ends[at])));
  const [first] = choices;
  const flags = ["optional"];
  if (choices.length === 1 && first !== undefined) {
    return { ...first, flags: [...flags, ...first.flags] };
  }
  const name = choices.map((choice) => choice.name).join("-or-");
  return { name, type: "oneof", flags, arguments: choices };
}

function together(words: readonly string[]): Argument {
  const parts = sequence(words);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const name = parts.map((part) => part.name).join("-");
  return { name, type: "block", flags: [], arguments: parts };
}

function isToken(word: string): boolean {
  return /^[A-Z]/u.test(word);
}

function tokenNamed(token: string): Argument {
  return { name: token.toLowerCase(), type: "pure-token", token, flags: [], arguments: [] };
}

function valueNamed(name: string): Argument {
  return { name, type: types.get(name) ?? "string", flags: [], arguments: [] };
}

/** What is no string. */
const types: ReadonlyMap<string, string> = new Map([
  ["key", "key"],
  ["pattern", "pattern"],
  ...["seconds", "milliseconds", "offset", "start", "end", "count", "cursor", "samples"].map(
    (name): [string, string] => [name, "integer"],
  ),
  ["decrement", "integer"],
  ["increment", "integer"],
  ["unix-time-seconds", "unix-time"],
  ["unix-time-milliseconds", "unix-time"],
]);

function replyOf({ name, type, token, flags, arguments: parts }: Argument): RespReply {
  const fields: [string, RespReply][] = [
    ["name", name],
    ["type", type],
  ];
  if (token !== undefined) fields.push(["token", token]);
  if (flags.length > 0) fields.push(["flags", { kind: "set", items: flags.map(respStatus) }]);
  if (parts.length > 0) fields.push(["arguments", parts.map(replyOf)]);
  return respMap(...fields.flat());
}
