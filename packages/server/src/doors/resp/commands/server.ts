import { type RespReply } from "@coterie/protocol";
import { type Command, commandGroup } from "../command.ts";
import type { RespCall } from "../resp-call.ts";
import { configGet, configSet } from "./config.ts";
import { infoText } from "./info.ts";

const flags = "loading stale";

/** What is said of the node itself. */
export const serverCommands: readonly Command<RespCall>[] = commandGroup("server", [
  {
    name: "info",
    arity: -1,
    flags,
    since: "1.0.0",
    summary: "What this node is and does, by sections",
    usage: "[section ...]",
    run: info,
  },
  {
    name: "time",
    arity: 1,
    flags: `${flags} fast`,
    since: "2.6.0",
    summary: "This node's clock: seconds since 1970, and microseconds",
    run: time,
  },
  {
    name: "config",
    arity: -2,
    since: "2.0.0",
    summary: "Commands about settings",
    subcommands: [
      {
        name: "get",
        arity: -3,
        flags: `${flags} admin noscript`,
        since: "2.0.0",
        summary: "Settings in Redis' names, with the values that hold here",
        usage: "parameter ...",
        run: configGet,
      },
      {
        name: "set",
        arity: -4,
        flags: `${flags} admin noscript`,
        since: "2.0.0",
        summary: "Takes what holds already: settings are made when a node is started",
        usage: "parameter value [parameter value] ...",
        run: configSet,
      },
      {
        name: "resetstat",
        arity: 2,
        flags: `${flags} admin noscript`,
        since: "2.0.0",
        summary: "Taken, and of no effect: counters start with the process",
        run: (call) => call.succeed(),
      },
      {
        name: "help",
        arity: 2,
        flags,
        since: "5.0.0",
        summary: "What CONFIG can do",
        run: (call) => call.settle(help),
      },
    ],
  },
]);

const help: readonly RespReply[] = [
  "CONFIG <subcommand> [<arg> ...]. Subcommands are:",
  "GET <pattern>: settings in Redis' names.",
  "SET <name> <value>: takes what holds already; others are made when a node is started.",
].map((text) => ({ kind: "status", text }));

function info(call: RespCall): void {
  infoText(call.service, call.words.slice(1)).then(
    (text) => call.settle({ kind: "verbatim", text }),
    (error: unknown) => call.settle(call.service.defect(error)),
  );
}

function time(call: RespCall): void {
  const ms = call.service.clock.wallMs();
  call.settle([String(Math.floor(ms / 1000)), String(Math.floor((ms % 1000) * 1000))]);
}
