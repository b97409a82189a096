import { latin1 } from "@coterie/core";
import { type RespReply, respMap, respStatus } from "@coterie/protocol";
import { type Command, commandGroup } from "../command.ts";
import type { RespCall } from "../resp-call.ts";
import { redisVersion } from "../redis-version.ts";
import { writerRole } from "../redis-words.ts";
import { nameProblem } from "../session-names.ts";
import { int64Of, optionOf } from "../words.ts";

const pong: RespReply = respStatus("PONG");
const noPassword =
  "ERR AUTH <password> called without any password configured for the default user. " +
  "Are you sure your configuration is correct?";
const wrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";

/** What connections are opened, tried and closed with. */
export const connectionCommands: readonly Command<RespCall>[] = commandGroup("connection", [
  {
    name: "hello",
    arity: -1,
    flags: "noscript loading stale fast no_auth no_multi",
    since: "6.0.0",
    summary: "Chooses the version of the protocol, and says who serves",
    usage: "[protover [AUTH username password] [SETNAME clientname]]",
    run: hello,
  },
  {
    name: "auth",
    arity: -2,
    flags: "noscript loading stale fast no_auth",
    since: "1.0.0",
    summary: "Takes any password of user default: there are no others yet",
    usage: "[username] password",
    run: auth,
  },
  {
    name: "select",
    arity: 2,
    flags: "loading stale fast",
    since: "1.0.0",
    summary: "Takes database 0, the only one",
    usage: "index",
    run: select,
  },
  {
    name: "ping",
    arity: -1,
    flags: "fast",
    since: "1.0.0",
    summary: "Answers PONG, or what it is given",
    usage: "[message]",
    run: ping,
  },
  {
    name: "echo",
    arity: 2,
    flags: "loading stale fast",
    since: "1.0.0",
    summary: "Answers what it is given",
    usage: "message",
    run: (call) => call.settle(call.word(1)),
  },
  {
    name: "quit",
    arity: -1,
    flags: "noscript loading stale fast no_auth",
    since: "1.0.0",
    summary: "Closes the connection when all before it is answered",
    run: (call) => {
      call.succeed();
      call.session.link.endAfterReplies();
    },
  },
  {
    name: "reset",
    arity: 1,
    flags: "noscript loading stale fast no_auth",
    since: "6.2.0",
    summary: "Makes the connection what it was when it was opened",
    run: (call) => {
      call.session.reset();
      call.version = 2;
      call.settle(respStatus("RESET"));
    },
  },
]);

function ping(call: RespCall): void {
  if (call.words.length > 2) call.refuseArity();
  else call.settle(call.words[1] ?? pong);
}

function select(call: RespCall): void {
  const index = int64Of(call.word(1));
  if (index === undefined) call.refuse("ERR value is not an integer or out of range");
  else if (index === 0n) call.succeed();
  else call.refuse("ERR DB index is out of range");
}

function auth(call: RespCall): void {
  if (call.words.length > 3) return call.refuseSyntax();
  if (call.words.length === 2) return call.refuse(noPassword);
  if (latin1(call.word(1)) === "default") call.succeed();
  else call.refuse(wrongPassword);
}

function hello(call: RespCall): void {
  const { session, words } = call;
  let { version } = session;
  if (words.length > 1) {
    const asked = int64Of(words[1]);
    if (asked === undefined) {
      return call.refuse("ERR Protocol version is not an integer or out of range");
    }
    if (asked !== 2n && asked !== 3n) return call.refuse("NOPROTO unsupported protocol version");
    version = asked === 2n ? 2 : 3;
  }
  let name: string | undefined;
  for (let at = 2; at < words.length; at += 1) {
    const option = optionOf(words[at]);
    if (option === "auth" && at + 2 < words.length) {
      if (latin1(call.word(at + 1)) !== "default") return call.refuse(wrongPassword);
      at += 2;
    } else if (option === "setname" && at + 1 < words.length) {
      name = latin1(call.word(at + 1));
      const problem = nameProblem("Client names", name);
      if (problem !== undefined) return call.refuse(problem);
      at += 1;
    } else return call.refuse(`ERR Syntax error in HELLO option '${latin1(call.word(at))}'`);
  }
  session.version = version;
  call.version = version;
  if (name !== undefined) session.name = name;
  call.settle(
    respMap(
      "server",
      "redis",
      "version",
      redisVersion,
      "proto",
      version,
      "id",
      session.id,
      "mode",
      "standalone",
      "role",
      writerRole,
      "modules",
      [],
    ),
  );
}
