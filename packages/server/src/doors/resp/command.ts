/** A flag of a command, as COMMAND tells it. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "noscript"
  | "loading"
  | "stale"
  | "fast"
  | "no_auth"
  | "no_multi"
  | "movablekeys";

/** Which of a command's words are keys: from `first` to `last`, every `step`; -1 is the last. */
export interface KeyPlaces {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/**
 * What a command waits for of those its connection sent before: `any`, nothing; `keys`, those that
 * write its keys, or that use what it writes; `alone`, all of them, and later ones wait for it.
 */
export type CommandOrder = "any" | "keys" | "alone";

/** One command, or subcommand, as COMMAND and its page tell of it. */
export interface CommandAbout {
  /** In small letters; a subcommand's has its command's before it: `client|list`. */
  readonly name: string;
  /** Words of a call, the name included; at least so many if negative. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  readonly keys: KeyPlaces | undefined;
  readonly group: string;
  /** The version of Redis that brought it; Coterie's for its own. */
  readonly since: string;
  readonly summary: string;
  /** Its arguments as Redis' pages write them; empty: none. */
  readonly usage: string;
  readonly order: CommandOrder;
  readonly subcommands: ReadonlyMap<string, CommandAbout>;
}

/** A command with what it does. */
export interface Command<Call> extends CommandAbout {
  readonly run: (call: Call) => void;
  readonly subcommands: ReadonlyMap<string, Command<Call>>;
}

/** What a command without a run of its own needs of a call. */
interface Refusable {
  readonly command: CommandAbout;
  refuse(text: string): void;
}

/** A command as it is declared. */
export interface CommandRow<Call> {
  readonly name: string;
  readonly arity: number;
  /** Separated by blanks. */
  readonly flags?: string;
  readonly keys?: readonly [first: number, last: number, step: number];
  readonly since: string;
  readonly summary: string;
  readonly usage?: string;
  readonly order?: CommandOrder;
  /** Left out where there are subcommands, one of which must be named. */
  readonly run?: (call: Call) => void;
  readonly subcommands?: readonly CommandRow<Call>[];
}

/** The commands of one group, from their rows. */
export function commandGroup<Call extends Refusable>(
  group: string,
  rows: readonly CommandRow<Call>[],
): readonly Command<Call>[] {
  return rows.map((row) => commandOf(group, row, ""));
}

function commandOf<Call extends Refusable>(
  group: string,
  row: CommandRow<Call>,
  parent: string,
): Command<Call> {
  const { arity, since, summary, usage = "", order, run = refuseParent } = row;
  const name = `${parent}${row.name}`;
  const [first, last, step] = row.keys ?? [];
  const keys =
    first === undefined || last === undefined || step === undefined
      ? undefined
      : { first, last, step };
  return {
    name,
    arity,
    flags: (row.flags ?? "").split(" ").filter(Boolean) as readonly CommandFlag[],
    keys,
    group,
    since,
    summary,
    usage,
    order: order ?? (keys === undefined ? "any" : "keys"),
    run,
    subcommands: new Map(
      (row.subcommands ?? []).map((sub) => [sub.name, commandOf(group, sub, `${name}|`)]),
    ),
  };
}

/** A call without a subcommand has too few words. */
function refuseParent(call: Refusable): void {
  call.refuse(wrongArity(call.command.name));
}

/** What Redis says to a call with too few or too many words. */
export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

/** True if a call has as many words as the command takes. */
export function hasArity({ arity }: CommandAbout, words: number): boolean {
  return arity < 0 ? words >= -arity : words === arity;
}

/** The words of a call that are keys. */
export function keysOf(command: CommandAbout, words: readonly Uint8Array[]): readonly Uint8Array[] {
  const { keys } = command;
  if (keys === undefined) return [];
  const last = keys.last < 0 ? words.length + keys.last : keys.last;
  const found: Uint8Array[] = [];
  for (let at = keys.first; at <= last && at < words.length; at += keys.step) {
    found.push(words[at] as Uint8Array);
  }
  return found;
}
