import { type RespReply, respMap, respStatus } from "@coterie/protocol";
import { type Command, type CommandAbout, commandGroup, hasArity, keysOf } from "../command.ts";
import { isGlobMatch } from "../glob.ts";
import type { RespCall } from "../resp-call.ts";
import { argumentsOf } from "../usage.ts";
import { optionOf } from "../words.ts";

const flags = "loading stale";

/** COMMAND: what this door can do, from the one table of commands. */
export const introspectionCommands: readonly Command<RespCall>[] = commandGroup("server", [
  {
    name: "command",
    arity: -1,
    flags,
    since: "2.8.13",
    summary: "All commands, with how they are called",
    run: (call) => call.settle(all(call).map(commandInfo)),
    subcommands: [
      {
        name: "count",
        arity: 2,
        flags,
        since: "2.8.13",
        summary: "The number of commands",
        run: (call) => call.settle(all(call).length),
      },
      {
        name: "info",
        arity: -2,
        flags,
        since: "2.8.13",
        summary: "How the named commands are called",
        usage: "[section ...]",
        run: (call) =>
          call.settle(
            call.words.length === 2
              ? all(call).map(commandInfo)
              : call.words.slice(2).map((name) => {
                  const command = named(call, name);
                  return command === undefined ? { kind: "null-array" } : commandInfo(command);
                }),
          ),
      },
      {
        name: "docs",
        arity: -2,
        flags,
        since: "7.0.0",
        summary: "What the named commands are for",
        run: docs,
      },
      {
        name: "list",
        arity: -2,
        flags,
        since: "7.0.0",
        summary: "The names of commands (FILTERBY PATTERN)",
        run: list,
      },
      {
        name: "getkeys",
        arity: -3,
        flags,
        since: "2.8.13",
        summary: "The keys in a call of a command",
        run: getKeys,
      },
    ],
  },
]);

/** Every command once. */
function all(call: RespCall): readonly CommandAbout[] {
  return [...new Set(call.service.commands.values())];
}

function named(call: RespCall, name: Uint8Array): CommandAbout | undefined {
  const [parent = "", sub] = optionOf(name).split("|");
  const command = call.service.commands.get(parent);
  return sub === undefined ? command : command?.subcommands.get(sub);
}

function commandInfo(command: CommandAbout): RespReply {
  const { name, arity, flags: own, keys, subcommands } = command;
  return [
    name,
    arity,
    { kind: "set", items: own.map(respStatus) },
    keys?.first ?? 0,
    keys?.last ?? 0,
    keys?.step ?? 0,
    { kind: "set", items: categoriesOf(command).map(respStatus) },
    [],
    keySpecs(command),
    [...subcommands.values()].map(commandInfo),
  ];
}

function keySpecs({ keys, flags: own }: CommandAbout): RespReply {
  if (keys === undefined) return [];
  const access = own.includes("write") ? ["RW", "access", "update"] : ["RO", "access"];
  const last = keys.last < 0 ? keys.last : keys.last - keys.first;
  return [
    respMap(
      "flags",
      { kind: "set", items: access.map(respStatus) },
      "begin_search",
      respMap("type", "index", "spec", respMap("index", keys.first)),
      "find_keys",
      respMap("type", "range", "spec", respMap("lastkey", last, "keystep", keys.step, "limit", 0)),
    ),
  ];
}

function categoriesOf({ flags: own, group, keys }: CommandAbout): readonly string[] {
  const categories = [keys === undefined ? `@${group}` : "@keyspace"];
  if (group === "string") categories.push("@string");
  if (own.includes("write")) categories.push("@write");
  if (own.includes("readonly")) categories.push("@read");
  if (own.includes("admin")) categories.push("@admin", "@dangerous");
  categories.push(own.includes("fast") ? "@fast" : "@slow");
  return categories;
}

function docs(call: RespCall): void {
  const asked = call.words.slice(2);
  const found = asked.length === 0 ? all(call) : asked.flatMap((name) => named(call, name) ?? []);
  call.settle(respMap(...found.flatMap((command) => [command.name, commandDocs(command)])));
}

function commandDocs(command: CommandAbout): RespReply {
  const { summary, since, group, usage, subcommands } = command;
  const about = ["summary", summary, "since", since, "group", group];
  const own = usage === "" ? about : [...about, "arguments", argumentsOf(usage)];
  if (subcommands.size === 0) return respMap(...own);
  const below = [...subcommands.values()].flatMap((sub) => [sub.name, commandDocs(sub)]);
  return respMap(...own, "subcommands", respMap(...below));
}

function list(call: RespCall): void {
  const names = all(call).map(({ name }) => name);
  if (call.words.length === 2) return call.settle(names);
  if (call.words.length !== 5 || optionOf(call.words[2]) !== "filterby") return call.refuseSyntax();
  const filter = optionOf(call.words[3]);
  if (filter === "module") return call.settle([]);
  if (filter === "aclcat") {
    const category = `@${optionOf(call.words[4])}`;
    return call.settle(
      all(call).flatMap((command) =>
        categoriesOf(command).includes(category) ? [command.name] : [],
      ),
    );
  }
  if (filter !== "pattern") return call.refuseSyntax();
  const pattern = call.word(4);
  const encode = (name: string): Uint8Array => Uint8Array.from(name, (c) => c.charCodeAt(0));
  call.settle(names.filter((name) => isGlobMatch(pattern, encode(name))));
}

function getKeys(call: RespCall): void {
  const words = call.words.slice(2);
  const command = named(call, words[0] as Uint8Array);
  if (command === undefined) return call.refuse("ERR Invalid command specified");
  const sub = command.subcommands.get(optionOf(words[1]));
  const meant = sub ?? command;
  if (!hasArity(meant, words.length)) {
    return call.refuse("ERR Invalid number of arguments specified for command");
  }
  const keys = keysOf(meant, words);
  if (keys.length === 0) {
    return call.refuse(`ERR The command has no key arguments`);
  }
  call.settle(keys);
}
