import { latin1 } from "@coterie/core";
import { respStatus } from "@coterie/protocol";
import { type Command, commandGroup } from "../command.ts";
import { clientTypes } from "../redis-words.ts";
import type { RespCall } from "../resp-call.ts";
import type { RespSession } from "../resp-session.ts";
import { nameProblem } from "../session-names.ts";
import { int64Of, optionOf } from "../words.ts";

const flags = "noscript loading stale";

/** CLIENT: what connections are called, and who is connected. */
export const clientCommands: readonly Command<RespCall>[] = commandGroup("connection", [
  {
    name: "client",
    arity: -2,
    since: "2.4.0",
    summary: "Commands about connections",
    subcommands: [
      sub("id", 2, "5.0.0", "The number of this connection", (call) =>
        call.settle(call.session.id),
      ),
      sub("getname", 2, "2.6.9", "The name of this connection", (call) =>
        call.settle(call.session.name === "" ? null : call.session.name),
      ),
      sub("setname", 3, "2.6.9", "Names this connection", setName),
      sub("setinfo", 4, "7.2.0", "Says which library the client is (LIB-NAME, LIB-VER)", setInfo),
      sub("info", 2, "6.2.0", "This connection, as in CLIENT LIST", (call) =>
        call.settle(`${describe(call, call.session)}\n`),
      ),
      sub("list", -2, "2.4.0", "All connections of this node (TYPE, ID)", list),
      sub("kill", -3, "2.4.0", "Closes connections (address, or ID, ADDR, LADDR, SKIPME)", kill),
      sub("reply", 3, "3.2.0", "Whether this connection wants replies: ON, OFF or SKIP", reply),
      sub("no-evict", 3, "7.0.0", "Taken, and of no effect: no connection is evicted", (call) =>
        setFlag(call, (isOn) => (call.session.isNoEvict = isOn)),
      ),
      sub("no-touch", 3, "7.2.0", "Taken, and of no effect: reads change no key", (call) =>
        setFlag(call, (isOn) => (call.session.isNoTouch = isOn)),
      ),
      sub("help", 2, "5.0.0", "What CLIENT can do", help),
    ],
  },
]);

function sub(
  name: string,
  arity: number,
  since: string,
  summary: string,
  run: (call: RespCall) => void,
): {
  readonly name: string;
  readonly arity: number;
  readonly flags: string;
  readonly since: string;
  readonly summary: string;
  readonly run: (call: RespCall) => void;
} {
  return { name, arity, flags, since, summary, run };
}

function setName(call: RespCall): void {
  const name = latin1(call.word(2));
  const problem = nameProblem("Client names", name);
  if (problem !== undefined) return call.refuse(problem);
  call.session.name = name;
  call.succeed();
}

function setInfo(call: RespCall): void {
  const option = optionOf(call.words[2]);
  const text = latin1(call.word(3));
  if (option !== "lib-name" && option !== "lib-ver") {
    return call.refuse(`ERR Unrecognized option '${latin1(call.word(2))}'`);
  }
  const problem = nameProblem(option, text);
  if (problem !== undefined) return call.refuse(problem);
  if (option === "lib-name") call.session.libraryName = text;
  else call.session.libraryVersion = text;
  call.succeed();
}

function describe(call: RespCall, session: RespSession): string {
  const { link, transaction } = session;
  const now = call.service.clock.monotonicMs();
  const facts: readonly (readonly [string, string | number])[] = [
    ["id", session.id],
    ["addr", link.address],
    ["laddr", link.localAddress],
    ["fd", -1],
    ["name", session.name],
    ["age", Math.floor((now - session.createdAtMs) / 1000)],
    ["idle", Math.floor((now - session.lastCommandMs) / 1000)],
    ["flags", `${transaction === undefined ? "" : "x"}${session.isNoEvict ? "e" : ""}` || "N"],
    ["db", 0],
    ["sub", 0],
    ["psub", 0],
    ["ssub", 0],
    ["multi", transaction?.commands.length ?? -1],
    ["watch", session.watched === undefined ? 0 : 1],
    ["qbuf", link.heldBytes],
    ["qbuf-free", 0],
    ["argv-mem", 0],
    ["multi-mem", 0],
    ["rbs", 0],
    ["rbp", 0],
    ["obl", 0],
    ["oll", 0],
    ["omem", link.unreadBytes],
    ["tot-mem", link.heldBytes + link.unreadBytes],
    ["events", "r"],
    ["cmd", session.lastCommand],
    ["user", "default"],
    ["redir", -1],
    ["resp", session.version],
    ["lib-name", session.libraryName],
    ["lib-ver", session.libraryVersion],
  ];
  return facts.map(([name, value]) => `${name}=${value}`).join(" ");
}

function list(call: RespCall): void {
  const { words, service } = call;
  let sessions = [...service.sessions.values()];
  const option = optionOf(words[2]);
  if (option === "type" && words.length === 4) {
    const type = optionOf(words[3]);
    if (!clientTypes.includes(type)) {
      return call.refuse(`ERR Unknown client type '${latin1(call.word(3))}'`);
    }
    if (type !== "normal") sessions = [];
  } else if (option === "id" && words.length > 3) {
    const ids = words.slice(3).map(int64Of);
    if (ids.some((id) => id === undefined || id < 1n)) return call.refuse("ERR Invalid client ID");
    sessions = sessions.filter(({ id }) => ids.includes(BigInt(id)));
  } else if (words.length > 2) return call.refuseSyntax();
  call.settle(sessions.map((session) => `${describe(call, session)}\n`).join(""));
}

/** Which connections a CLIENT KILL means. */
interface KillFilter {
  id?: bigint;
  address?: string;
  localAddress?: string;
  skipsMe: boolean;
  isEverybody: boolean;
}

function kill(call: RespCall): void {
  const { words } = call;
  if (words.length === 3) {
    const address = latin1(call.word(2));
    const victims = [...call.service.sessions.values()].filter(
      ({ link }) => link.address === address,
    );
    if (victims.length === 0) return call.refuse("ERR No such client");
    end(call, victims);
    return call.succeed();
  }
  const filter = killFilter(call);
  if (filter === undefined) return;
  const victims = [...call.service.sessions.values()].filter((session) =>
    isMeant(session, filter, call.session),
  );
  end(call, victims);
  call.settle(victims.length);
}

function isMeant(session: RespSession, filter: KillFilter, own: RespSession): boolean {
  if (filter.skipsMe && session === own) return false;
  if (!filter.isEverybody) return false;
  if (filter.id !== undefined && BigInt(session.id) !== filter.id) return false;
  const { address, localAddress } = filter;
  if (address !== undefined && session.link.address !== address) return false;
  return localAddress === undefined || session.link.localAddress === localAddress;
}

function killFilter(call: RespCall): KillFilter | undefined {
  const { words } = call;
  const filter: KillFilter = { skipsMe: true, isEverybody: true };
  const refuse = (text: string): undefined => call.refuse(text);
  for (let at = 2; at < words.length; at += 2) {
    const value = words[at + 1];
    if (value === undefined) return refuse("ERR syntax error");
    const text = latin1(value);
    const option = optionOf(words[at]);
    if (option === "id") {
      const id = int64Of(value);
      if (id === undefined || id < 1n) return refuse("ERR client-id should be greater than 0");
      filter.id = id;
    } else if (option === "addr") filter.address = text;
    else if (option === "laddr") filter.localAddress = text;
    else if (option === "user") {
      if (text !== "default") return refuse(`ERR No such user '${text}'`);
    } else if (option === "type") {
      if (!clientTypes.includes(text)) return refuse(`ERR Unknown client type '${text}'`);
      filter.isEverybody = text === "normal";
    } else if (option === "skipme" && /^(?:yes|no)$/iu.test(text)) {
      filter.skipsMe = text.toLowerCase() === "yes";
    } else return refuse("ERR syntax error");
  }
  return filter;
}

/** Its own connection ends when it has been told. */
function end(call: RespCall, victims: readonly RespSession[]): void {
  for (const victim of victims) {
    if (victim === call.session) victim.link.endAfterReplies();
    else victim.link.destroy();
  }
}

function reply(call: RespCall): void {
  const mode = optionOf(call.words[2]);
  const { session } = call;
  if (mode === "on") {
    session.replies = "on";
    call.isSilent = false;
    return call.succeed();
  }
  if (mode !== "off" && mode !== "skip") return call.refuseSyntax();
  session.replies = mode;
  call.isSilent = true;
  call.succeed();
}

function setFlag(call: RespCall, set: (isOn: boolean) => void): void {
  const mode = optionOf(call.words[2]);
  if (mode !== "on" && mode !== "off") return call.refuseSyntax();
  set(mode === "on");
  call.succeed();
}

function help(call: RespCall): void {
  const lines = [...(call.service.commands.get("client")?.subcommands.values() ?? [])].map(
    ({ name, summary }) => `${name.slice(name.indexOf("|") + 1).toUpperCase()}: ${summary}`,
  );
  call.settle(["CLIENT <subcommand> [<arg> ...]. Subcommands are:", ...lines].map(respStatus));
}
