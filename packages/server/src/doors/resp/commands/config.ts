import { latin1, utf8 } from "@coterie/core";
import { respMap } from "@coterie/protocol";
import { hostOf, portOf } from "../../../config/addresses.ts";
import { isGlobMatch } from "../glob.ts";
import type { RespCall } from "../resp-call.ts";
import type { RespService } from "../resp-service.ts";
import { optionOf } from "../words.ts";

/** Redis' settings as far as something here corresponds to them, with the values that hold. */
function settingsOf({ options, tuning, address }: RespService): ReadonlyMap<string, string> {
  return new Map([
    ["appendfsync", "always"],
    ["appendonly", "yes"],
    ["bind", hostOf(address)],
    ["client-output-buffer-limit", `normal ${tuning.unreadBytesMax} 0 0`],
    ["client-query-buffer-limit", String(tuning.commandBytesMax)],
    ["cluster-enabled", "yes"],
    ["databases", "1"],
    ["maxclients", String(options.connectionsMax)],
    ["maxmemory", "0"],
    ["maxmemory-policy", "noeviction"],
    ["port", String(portOf(address))],
    ["proto-max-bulk-len", String(options.valueBytesMax)],
    ["protected-mode", "no"],
    ["requirepass", ""],
    ["save", ""],
    ["tcp-keepalive", "60"],
    ["timeout", "0"],
    ["tls-port", "0"],
  ]);
}

/** CONFIG GET: what matches any of the patterns. */
export function configGet(call: RespCall): void {
  const patterns = call.words.slice(2).map((word) => utf8(optionOf(word)));
  const found = [...settingsOf(call.service)].filter(([name]) =>
    patterns.some((pattern) => isGlobMatch(pattern, utf8(name))),
  );
  call.settle(respMap(...found.flat()));
}

/** CONFIG SET: nothing can be changed while a node runs, and what holds already is no change. */
export function configSet(call: RespCall): void {
  const { words } = call;
  if (words.length % 2 !== 0) return call.refuseArity();
  const settings = settingsOf(call.service);
  for (let at = 2; at < words.length; at += 2) {
    const name = optionOf(words[at]);
    const value = settings.get(name);
    if (value === undefined) {
      return call.refuse(
        `ERR Unknown option or number of arguments for CONFIG SET - '${latin1(call.word(at))}'`,
      );
    }
    if (value !== latin1(call.word(at + 1))) {
      return call.refuse(
        `ERR CONFIG SET failed (possibly related to argument '${name}') - can't set immutable ` +
          "config: settings of a node are made when it is started",
      );
    }
  }
  call.succeed();
}
