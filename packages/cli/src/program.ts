import { Argument, Command, Option } from "commander";
import type { KeyOptions, NodeOptions } from "./connect.ts";
import type { ResolveOptions, WriteOptions } from "./commands/write.ts";
import type { StartOptions } from "./commands/start.ts";
import type { DevOptions } from "./dev/dev.ts";
import { devEngines, devHashes } from "./dev/endpoints-text.ts";
import type { ExitCode } from "./exit.ts";
import {
  causalContext,
  contentType,
  lifetime,
  wholeNumber,
  withBucketOption,
  withContextOptions,
  withKeyOptions,
  withNodeOptions,
  withReadQuorum,
  withWriteQuorum,
} from "./options.ts";
import { addOperatorCommands } from "./program/operator-commands.ts";
import { startSettingOptions } from "./program/start-settings.ts";
import { addTopologyCommands } from "./program/topology-commands.ts";
import type { ExportOptions } from "./transfer/export.ts";
import type { ImportOptions } from "./transfer/import.ts";

/** Receives the exit code of the subcommand that ran. */
export type OnExit = (code: ExitCode) => void;

/**
 * The command line. Subcommands import what they need when they run: `coterie --help` loads
 * nothing but this.
 */
export function newProgram(onExit: OnExit): Command {
  const program = new Command("coterie")
    .description("An always-writable, replicated key-value store.")
    .version("0.1.0")
    .exitOverride()
    .showHelpAfterError("(coterie --help shows what there is)")
    .addHelpText("after", OVERVIEW);
  addReads(program, onExit);
  addWrites(program, onExit);
  addTransfers(program, onExit);
  addCluster(program, onExit);
  addOperatorCommands(program, onExit);
  addTopologyCommands(program, onExit);
  addStart(program, onExit);
  addDev(program, onExit);
  addBench(program, onExit);
  completeHelp(program, "coterie");
  return program;
}

/** What is said of a command in the list of all is the least that its own help says. */
function completeHelp(parent: Command, words: string): void {
  for (const command of parent.commands) {
    const path = `${words} ${command.name()}`;
    const summary = command.summary();
    if (command.description() === "" && summary !== "") {
      command.description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
    }
    command.showHelpAfterError(`(${path} --help shows what there is)`);
    completeHelp(command, path);
  }
}

const OVERVIEW = `
Examples:
  coterie dev                                  three nodes on this machine
  coterie put greeting hello                   write a value
  coterie get greeting                         read it
  coterie put photo @cat.jpg --content-type image/jpeg
  coterie import packages.ndjson               load a file, resumably
  coterie get greeting --node http://127.0.0.1:7402

Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 unavailable, 5 not allowed, 6 conflict.`;

function addReads(program: Command, onExit: OnExit): void {
  withReadQuorum(withKeyOptions(program.command("get")))
    .summary("read a value")
    .description(
      "Prints the value's bytes. A key with siblings prints nothing, lists them on standard " +
        "error and exits 6.",
    )
    .argument("<key>")
    .addHelpText("after", "\nExamples:\n  coterie get greeting\n  coterie get photo > cat.jpg")
    .action(async (key: string, options: KeyOptions) => {
      const { get } = await import("./commands/get.ts");
      onExit(await get(key, options));
    });
  withReadQuorum(withKeyOptions(program.command("siblings")))
    .summary("list all values of a key")
    .argument("<key>")
    .addHelpText("after", "\nExamples:\n  coterie siblings cart\n  coterie siblings cart --json")
    .action(async (key: string, options: KeyOptions) => {
      const { siblings } = await import("./commands/get.ts");
      onExit(await siblings(key, options));
    });
}

function addWrites(program: Command, onExit: OnExit): void {
  const write = (name: string, blindly: string): Command => {
    const command = withContextOptions(withKeyOptions(program.command(name)), blindly);
    return withWriteQuorum(withReadQuorum(command));
  };
  write("put", "the value stands beside what is there")
    .summary("write a value")
    .description("Reads the key's context first, so that the value replaces what is there.")
    .argument("<key>")
    .argument("<value>", "the text itself, @FILE, or - for standard input")
    .option("--content-type <type>", "kept with the value", contentType)
    .option(
      "--ttl <duration>",
      "how long it lives: 30s, 15m, 12h, 7d, or never to expire",
      lifetime,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  coterie put greeting hello\n  date | coterie put now -\n" +
        "  coterie put session ann --ttl 30m",
    )
    .action(async (key: string, value: string, options: WriteOptions) => {
      const { put } = await import("./commands/write.ts");
      onExit(await put(key, value, options));
    });
  write("delete", "the node deletes what it finds")
    .summary("delete a key")
    .description("Deletes what a read finds; what others write meanwhile stays.")
    .argument("<key>")
    .addHelpText("after", "\nExamples:\n  coterie delete greeting")
    .action(async (key: string, options: WriteOptions) => {
      const { deleteKey } = await import("./commands/write.ts");
      onExit(await deleteKey(key, options));
    });
  withWriteQuorum(withReadQuorum(withKeyOptions(program.command("resolve"))))
    .summary("make one value of several siblings")
    .argument("<key>")
    .argument("[value]", "the merged value: a text, @FILE, or - for standard input")
    .option("--pick <number>", "the sibling that stays, counted from 1", wholeNumber(1, 1000))
    .option(
      "--context <context>",
      "replace only the siblings that this context covers",
      causalContext,
    )
    .option("--content-type <type>", "kept with the value", contentType)
    .option(
      "--ttl <duration>",
      "how long it lives: 30s, 15m, 12h, 7d, or never to expire",
      lifetime,
    )
    .addHelpText("after", "\nExamples:\n  coterie resolve cart --pick 2\n  coterie resolve cart @m")
    .action(async (key: string, value: string | undefined, options: ResolveOptions) => {
      const { resolve } = await import("./commands/write.ts");
      onExit(await resolve(key, value, options));
    });
}

function addCluster(program: Command, onExit: OnExit): void {
  withNodeOptions(program.command("status"))
    .summary("every node of the cluster")
    .description("Asks every node of the cluster. Exits 1 unless all of them serve.")
    .addHelpText("after", "\nExamples:\n  coterie status\n  coterie status --json")
    .action(async (options: NodeOptions) => {
      const { status } = await import("./commands/status.ts");
      onExit(await status(options));
    });
  withNodeOptions(program.command("ring"))
    .summary("the owners of every partition")
    .addHelpText("after", "\nExamples:\n  coterie ring\n  coterie ring --json")
    .action(async (options: NodeOptions) => {
      const { ring } = await import("./commands/ring.ts");
      onExit(await ring(options));
    });
  withKeyOptions(program.command("explain"))
    .summary("where a key is, and what each replica holds")
    .argument("<key>")
    .addHelpText(
      "after",
      "\nExamples:\n  coterie explain cart\n  coterie explain a/b --bucket logs",
    )
    .action(async (key: string, options: KeyOptions) => {
      const { explain } = await import("./commands/ring.ts");
      onExit(await explain(key, options));
    });
}

function addTransfers(program: Command, onExit: OnExit): void {
  withBucketOption(program.command("import"))
    .summary("load a file into a bucket")
    .description(
      'Reads lines of { "key", "value", "contentType" } (key64 and value64 for bytes), or any ' +
        "objects with --key-field. An interrupted import goes on where it was.",
    )
    .argument("<file>", "or - for standard input")
    .addOption(
      new Option("--format <format>", "by the file's name if left out").choices([
        "ndjson",
        "csv",
        "tsv",
      ]),
    )
    .option("--key-field <name>", "this field is the key, and the whole line the value")
    .option("--concurrency <count>", "lines under way at once", wholeNumber(1, 1024), 64)
    .option("--rejects <file>", "where bad lines go (NAME.rejects.ndjson)")
    .addOption(
      new Option("--mode <mode>", "replace what is there, or stand beside it")
        .choices(["replace", "sibling"])
        .default("replace"),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  coterie import users.ndjson --key-field id\n" +
        "  coterie export | coterie import - --node http://other:7401",
    )
    .action(async (file: string, options: ImportOptions) => {
      const { importFile } = await import("./transfer/import.ts");
      onExit(await importFile(file, options));
    });
  withBucketOption(program.command("export"))
    .summary("write a bucket to a file")
    .description("Writes what import reads, siblings included, in a fixed order.")
    .addArgument(new Argument("[file]", "standard output if left out"))
    .option("--tombstones", "deleted keys too, as far as they are remembered")
    .option("--concurrency <count>", "keys read at once", wholeNumber(1, 1024), 32)
    .addHelpText(
      "after",
      "\nExamples:\n  coterie export backup.ndjson\n  coterie export --tombstones | gzip > all.gz",
    )
    .action(async (file: string | undefined, options: ExportOptions) => {
      const { exportBucket } = await import("./transfer/export.ts");
      onExit(await exportBucket(file, options));
    });
}

function addStart(program: Command, onExit: OnExit): void {
  const startCommand = program
    .command("start")
    .summary("run one node, or several")
    .description(
      "Runs one node until SIGTERM; with --processes several, each in a process of its own that " +
        "is started again when it ends. The same line after a crash finds the same data.",
    )
    .option("--config <file>", "settings in JSON; COTERIE_* variables and flags take precedence")
    .option("--print-config", "print the configuration, and where each value comes from, and end")
    .option("--json", "with --print-config: as JSON")
    .addHelpText("after", START_EXAMPLES)
    .action(async (options: StartOptions) => {
      const { start } = await import("./commands/start.ts");
      onExit(await start(options));
    });
  for (const option of startSettingOptions()) startCommand.addOption(option);
}

const START_EXAMPLES = `
Examples:
  coterie start --id n1 --memory               one node by itself, to try things
  coterie start --id n1 --data /var/lib/coterie --http 127.0.0.1:7401 \\
    --resp 127.0.0.1:7501 --grpc 127.0.0.1:7601 --peer 127.0.0.1:7701 \\
    --bootstrap 127.0.0.1:7701,127.0.0.1:7702,127.0.0.1:7703 --cluster-key cluster.key
  coterie start --config coterie.json --id n1 --print-config
  coterie start --id a --processes auto        a node for each processor of this machine

With --processes N the first of N nodes listens at the ports of --http, --resp, --grpc and --peer,
each further one at the next ports; they are named ID-1, ID-2, and so on, and have DIR/p1, DIR/p2.
In a directory that is there already, auto is as many as it has. A range of --bootstrap, as
10.0.0.1:7701-7704, is an address for each port.

Every setting is also a name in the file of --config and a COTERIE_* variable: --log-level is
logLevel and COTERIE_LOG_LEVEL. What they mean: docs/guide/configuration.md.`;

function addDev(program: Command, onExit: OnExit): void {
  const data = new Option("--data <dir>", "where the cluster lives").default("./.coterie/dev");
  const devCommand = program
    .command("dev")
    .summary("run a cluster on this machine")
    .description("Runs a cluster of node processes on this machine, to try things and break them.")
    .option("--nodes <count>", "how many nodes (3)", wholeNumber(1, 99))
    .option("--base-port <port>", "HTTP on PORT+1 and up (7400); 0: any", wholeNumber(0, 65_000))
    .addOption(data)
    .option("--reset", "begin anew; what is in the directory is lost")
    .option("--memory", "keep the data in memory only")
    .option("--n <count>", "copies of every key (3)", wholeNumber(1, 9))
    .option("--r <count>", "copies that must answer a read (a majority)", wholeNumber(1, 9))
    .option("--w <count>", "copies that must have stored a write (a majority)", wholeNumber(1, 9))
    .addOption(new Option("--hash <kind>", "what makes partitions (md5)").choices(devHashes))
    .addOption(new Option("--engine <name>", "what keeps the records (log)").choices(devEngines))
    .option("--config <file>", "settings of all nodes")
    .option("--no-input", "do not read keys from the terminal")
    .addHelpText("after", DEV_EXAMPLES)
    .action(async (options: DevOptions) => {
      const { dev } = await import("./dev/dev.ts");
      onExit(await dev(options));
    });
  for (const [action, summary] of [
    ["kill", "end a node as a power cut would"],
    ["pause", "stop a node where it stands"],
    ["revive", "start a dead node again, or continue a paused one"],
  ] as const) {
    devCommand
      .command(action)
      .summary(summary)
      .argument("<node>", "as in n2")
      .addHelpText("after", `\nExamples:\n  coterie dev ${action} n2`)
      .action(async (id: string, _: object, command: Command) => {
        const { actOnDev } = await import("./dev/act.ts");
        onExit(await actOnDev({ kind: action, id }, command.optsWithGlobals<{ data: string }>()));
      });
  }
  addDevCuts(devCommand, onExit);
  addDevMembers(devCommand, onExit);
}

function addDevMembers(devCommand: Command, onExit: OnExit): void {
  devCommand
    .command("add")
    .summary("start one more node, which joins the cluster")
    .description(
      "Starts one more node on an empty directory, and has the cluster make it a member. What " +
        "moves to it, coterie topology shows.",
    )
    .argument("[node]", "the next number if left out")
    .addHelpText("after", "\nExamples:\n  coterie dev add\n  coterie dev add n7")
    .action(async (id: string | undefined, _: object, command: Command) => {
      const { actOnDev } = await import("./dev/act.ts");
      onExit(await actOnDev({ kind: "add", id }, command.optsWithGlobals<{ data: string }>()));
    });
  devCommand
    .command("remove")
    .summary("have a node hand over what it holds, leave the cluster, and end")
    .description(
      "Has a node leave the cluster: it hands over what it holds, its process ends, and its " +
        "directory is removed. A node that is dead is taken out, and the others share what it " +
        "held.",
    )
    .argument("<node>", "as in n2")
    .addHelpText("after", "\nExamples:\n  coterie dev remove n2")
    .action(async (id: string, _: object, command: Command) => {
      const { actOnDev } = await import("./dev/act.ts");
      onExit(await actOnDev({ kind: "remove", id }, command.optsWithGlobals<{ data: string }>()));
    });
}

function addDevCuts(devCommand: Command, onExit: OnExit): void {
  devCommand
    .command("cut")
    .summary("cut the network between nodes")
    .description(
      "Cuts the network between groups of nodes: what they send each other is lost, and nobody " +
        "is told. One group is cut off from all others. Cuts add up until they are healed.",
    )
    .argument("<groups...>", "nodes by commas, as in n1 n2,n3")
    .option("--one-way", "lose only what earlier groups send to later ones")
    .addHelpText("after", CUT_EXAMPLES)
    .action(async (words: readonly string[], _: object, command: Command) => {
      const { actOnDev, groupsIn } = await import("./dev/act.ts");
      const options = command.optsWithGlobals<{ data: string; oneWay?: boolean }>();
      const isOneWay = options.oneWay === true;
      onExit(await actOnDev({ kind: "cut", groups: groupsIn(words), isOneWay }, options));
    });
  devCommand
    .command("heal")
    .summary("make what was cut whole again")
    .argument("[nodes...]", "all links of these nodes; of all nodes if left out")
    .addHelpText("after", "\nExamples:\n  coterie dev heal\n  coterie dev heal n1")
    .action(async (ids: readonly string[], _: object, command: Command) => {
      const { actOnDev } = await import("./dev/act.ts");
      onExit(await actOnDev({ kind: "heal", ids }, command.optsWithGlobals<{ data: string }>()));
    });
}

const CUT_EXAMPLES = `
Examples:
  coterie dev cut n1                           n1 on one side, all others on the other
  coterie dev cut n1,n2 n3,n4,n5               two sides
  coterie dev cut n1 n2                        these two; others still reach both
  coterie dev cut n1 n2 --one-way              what n1 sends to n2 is lost, answers too`;

const DEV_EXAMPLES = `
Examples:
  coterie dev --nodes 5 --n 5                  five nodes, five copies of every key
  coterie dev --base-port 0 --data /tmp/try    ports of the system's choice: endpoints.json
  coterie dev kill n2                          from another terminal
  coterie dev revive n2`;

function addBench(program: Command, onExit: OnExit): void {
  program
    .command("bench")
    .summary("measure a cluster, and compare it with other stores")
    // It has a command line of its own: coterie bench --help shows it.
    .helpOption(false)
    .allowUnknownOption()
    .argument("[words...]")
    .addHelpText(
      "after",
      "\nExamples:\n  coterie bench\n  coterie bench compare --pin\n" +
        "  coterie bench --nodes http://127.0.0.1:7401 --workload a --in-flight 64",
    )
    .action(async (words: readonly string[]) => {
      const { bench } = await import("./commands/bench.ts");
      onExit(await bench(words));
    });
}
