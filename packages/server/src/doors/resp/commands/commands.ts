import type { Command } from "../command.ts";
import type { RespCall } from "../resp-call.ts";
import { clientCommands } from "./client.ts";
import { clusterCommands } from "./cluster.ts";
import { connectionCommands } from "./connection.ts";
import { contextCommands } from "./contexts.ts";
import { expiringCommands, expiryCommands } from "./expiry.ts";
import { introspectionCommands } from "./introspection.ts";
import { keyCommands } from "./keys.ts";
import { keyspaceCommands } from "./keyspace.ts";
import { objectCommands } from "./objects.ts";
import { serverCommands } from "./server.ts";
import { stringCommands } from "./strings.ts";
import { transactionCommands } from "./transactions.ts";

/** All commands, in the order of their page. */
const commandList: readonly Command<RespCall>[] = [
  ...connectionCommands,
  ...clientCommands,
  ...clusterCommands,
  ...introspectionCommands,
  ...serverCommands,
  ...stringCommands,
  ...expiringCommands,
  ...keyCommands,
  ...expiryCommands,
  ...keyspaceCommands,
  ...objectCommands,
  ...transactionCommands,
  ...contextCommands,
];

/** Every command by its name, in small letters and in capitals: both are common. */
export const commands: ReadonlyMap<string, Command<RespCall>> = new Map(
  commandList.flatMap((command) => [
    [command.name, command],
    [command.name.toUpperCase(), command],
  ]),
);
