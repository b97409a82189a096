import { Argument, type Command, Option } from "commander";
import type { BucketOptions, BucketSettingOptions } from "../commands/bucket.ts";
import type { ConfigOptions } from "../commands/config.ts";
import type { ForcingOptions } from "../commands/force-voters.ts";
import type { FindOptions } from "../commands/find.ts";
import type { RepairOptions } from "../commands/repair.ts";
import type { ScanOptions } from "../commands/scan.ts";
import type { TopOptions } from "../commands/top.ts";
import type { UpgradeOptions } from "../commands/upgrade.ts";
import type { Shell } from "../completion/scripts.ts";
import type { NodeOptions } from "../connect.ts";
import type { ExitCode } from "../exit.ts";
import {
  bucketName,
  collect,
  scanCursor,
  timeToLive,
  wholeNumber,
  withBucketOption,
  withNodeOptions,
} from "../options.ts";

type OnExit = (code: ExitCode) => void;

/** What an operator asks and checks: buckets, keys, members, configuration. */
export function addOperatorCommands(program: Command, onExit: OnExit): void {
  addScan(program, onExit);
  addFind(program, onExit);
  addBuckets(program, onExit);
  addMembers(program, onExit);
  addHints(program, onExit);
  addRepair(program, onExit);
  addDrain(program, onExit);
  addUpgrade(program, onExit);
  addWatching(program, onExit);
  addConfig(program, onExit);
  addCompletion(program, onExit);
}

function addScan(program: Command, onExit: OnExit): void {
  withBucketOption(program.command("scan"))
    .summary("list the keys of a bucket")
    .description(
      "Lists keys in hash order, a line each: the key (base64url if it is no plain text), the " +
        "bytes of its values, and siblings if there are any.",
    )
    .option("--prefix <text>", "only keys that begin with this")
    .option("--limit <count>", "about so many keys; all if left out", wholeNumber(1, 1e9))
    .option("--cursor <cursor>", "go on where an earlier scan ended", scanCursor)
    .option("--tombstones", "deleted keys too, as far as they are remembered")
    .addHelpText(
      "after",
      "\nExamples:\n  coterie scan --prefix users/\n  coterie scan --limit 100 --json",
    )
    .action(async (options: ScanOptions) => {
      const { scan } = await import("../commands/scan.ts");
      onExit(await scan(options));
    });
}

function addFind(program: Command, onExit: OnExit): void {
  withNodeOptions(program.command("find"))
    .summary("find keys with siblings, tombstones or large records at any replica")
    .description(
      "Asks every node for what its own copies hold, and shows each key that is found, in hash " +
        "order, with the nodes that hold it so. Exits 1 unless all replicas have answered.",
    )
    .option("--siblings <count>", "keys with at least so many values", wholeNumber(1, 1e9))
    .option("--tombstones", "keys of which nothing is left to read")
    .option(
      "--larger-than <bytes>",
      "keys whose record has more bytes: values, clock and key",
      wholeNumber(0, 999_999_999),
    )
    .option("--bucket <name>", "in this bucket only", bucketName)
    .option("--replica <id>", "only copies of this node, by its id; repeat for more", collect)
    .option("--limit <count>", "about so many keys; all if left out", wholeNumber(1, 1e9))
    .option("--cursor <cursor>", "go on where an earlier search ended", scanCursor)
    .addHelpText(
      "after",
      "\nExamples:\n  coterie find --siblings 2\n" +
        "  coterie find --tombstones --bucket carts --json\n" +
        "  coterie find --larger-than 1000000 --replica n2 --limit 20",
    )
    .action(async (options: FindOptions) => {
      const { find } = await import("../commands/find.ts");
      onExit(await find(options));
    });
}

function addBuckets(program: Command, onExit: OnExit): void {
  const bucket = program
    .command("bucket")
    .summary("the buckets of the cluster")
    .description("Shows, creates and changes buckets.")
    .addHelpText("after", "\nExamples:\n  coterie bucket list\n  coterie bucket create carts");
  withNodeOptions(bucket.command("list"))
    .summary("list the buckets and their settings")
    .addHelpText("after", "\nExamples:\n  coterie bucket list\n  coterie bucket list --json")
    .action(async (options: NodeOptions) => {
      const { listBuckets } = await import("../commands/bucket.ts");
      onExit(await listBuckets(options));
    });
  withNodeOptions(bucket.command("show"))
    .summary("one bucket's settings")
    .argument("<name>", "the bucket", bucketName)
    .option("--count", "count its keys too, by listing them all")
    .addHelpText("after", "\nExamples:\n  coterie bucket show default --count")
    .action(async (name: string, options: BucketOptions) => {
      const { showBucket } = await import("../commands/bucket.ts");
      onExit(await showBucket(name, options));
    });
  withBucketSettings(bucket.command("create"))
    .summary("create a bucket")
    .description(
      "Creates a bucket by agreement of a majority of the nodes. One that exists with these " +
        "settings is left as it is; one that exists with others is a conflict.",
    )
    .argument("<name>", "the bucket", bucketName)
    .addOption(new Option("--policy <policy>", "fixed from then on").choices(["siblings", "lww"]))
    .option("--n <count>", "copies, fixed from then on", wholeNumber(1, 64))
    .addHelpText(
      "after",
      "\nExamples:\n  coterie bucket create carts\n  coterie bucket create sessions --policy lww " +
        "--ttl 30m",
    )
    .action(async (name: string, options: BucketSettingOptions) => {
      const { createBucket } = await import("../commands/bucket.ts");
      onExit(await createBucket(name, options));
    });
  withBucketSettings(bucket.command("set"))
    .summary("change a bucket's settings")
    .description("Changes what is given, at all nodes; what is left out stays.")
    .argument("<name>", "the bucket", bucketName)
    .addHelpText("after", "\nExamples:\n  coterie bucket set carts --r 1 --w 3")
    .action(async (name: string, options: BucketSettingOptions) => {
      const { setBucket } = await import("../commands/bucket.ts");
      onExit(await setBucket(name, options));
    });
}

/** A duration in milliseconds; 0 for none. */
function timeToLiveOrNone(text: string): number {
  return text === "0" || text === "never" ? 0 : timeToLive(text);
}

/** Settings that may change while there is data. */
function withBucketSettings(command: Command): Command {
  return withNodeOptions(command)
    .option("--r <count>", "replicas that must answer a read", wholeNumber(1, 64))
    .option("--w <count>", "replicas that must have stored a write", wholeNumber(1, 64))
    .option("--pr <count>", "how many of those that answer must be primaries", wholeNumber(0, 64))
    .option("--pw <count>", "how many of those that store must be primaries", wholeNumber(0, 64))
    .addOption(
      new Option(
        "--mode <mode>",
        "whether fallbacks may stand in for primaries out of reach, where a request does not say",
      ).choices(["strict", "sloppy"]),
    )
    .option("--allow-stale", "allow r + w <= n: reads may miss acknowledged writes")
    .option("--no-allow-stale", "refuse r + w <= n again")
    .option(
      "--ttl <duration>",
      "how long values live whose put does not say, such as 30m, or never to expire",
      timeToLiveOrNone,
    );
}

function addMembers(program: Command, onExit: OnExit): void {
  withNodeOptions(program.command("members"))
    .summary("who belongs to the cluster")
    .description("Shows the members in the cluster's document, and whom the asked node reaches.")
    .addHelpText(
      "after",
      "\nExamples:\n  coterie members\n  coterie members --node http://127.0.0.1:7402",
    )
    .action(async (options: NodeOptions) => {
      const { members } = await import("../commands/members.ts");
      onExit(await members(options));
    });
}

function addHints(program: Command, onExit: OnExit): void {
  withNodeOptions(program.command("hints"))
    .summary("what nodes owe to each other")
    .description(
      "Shows what every node owes to others that were away: keys that they missed, and records " +
        "held for them.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  coterie hints\n  coterie hints --json --node http://127.0.0.1:7402",
    )
    .action(async (options: NodeOptions) => {
      const { hints } = await import("../commands/hints.ts");
      onExit(await hints(options));
    });
}

function addRepair(program: Command, onExit: OnExit): void {
  const partition = wholeNumber(0, 0xffff_ffff);
  withNodeOptions(program.command("repair"))
    .summary("compare all copies now, and make them equal")
    .description(
      "Has every owner compare its copies with all others', key by key where they differ, as " +
        "nodes do by themselves from time to time. Exits 1 unless all were made equal.",
    )
    .option("--all", "all partitions")
    .option(
      "--partition <number>",
      "this partition, as coterie ring shows it; repeat for more",
      (text: string, sofar: readonly number[] | undefined) => [...(sofar ?? []), partition(text)],
    )
    .option("--replica <id>", "at this node only, by its id; repeat for more", collect)
    .addHelpText(
      "after",
      "\nExamples:\n  coterie repair --all\n  coterie repair --partition 7\n" +
        "  coterie repair --all --replica n3 --json",
    )
    .action(async (options: RepairOptions) => {
      const { repair } = await import("../commands/repair.ts");
      onExit(await repair(options));
    });
}

function addDrain(program: Command, onExit: OnExit): void {
  withNodeOptions(program.command("drain"))
    .summary("have a node finish what is in flight, and end")
    .description(
      "Has a node refuse what is new, finish what is in flight, tell the others that it goes, " +
        "and end, as SIGTERM does. It stays a member; started again, it gets what it missed.",
    )
    .argument("<node>", "a member")
    .addHelpText("after", "\nExamples:\n  coterie drain n2\n  coterie drain n2 --node n1")
    .action(async (id: string, options: NodeOptions) => {
      const { drain } = await import("../commands/drain.ts");
      onExit(await drain(id, options));
    });
}

function addUpgrade(program: Command, onExit: OnExit): void {
  withNodeOptions(program.command("upgrade"))
    .summary("which levels the members speak; end an upgrade")
    .description(
      "Shows which levels of the protocol the members speak, and which the cluster goes by. " +
        "--finalize raises that to the newest that all speak: older builds are refused then.",
    )
    .option("--finalize", "go by the newest level that all members speak")
    .addHelpText("after", "\nExamples:\n  coterie upgrade\n  coterie upgrade --finalize")
    .action(async (options: UpgradeOptions) => {
      const { upgrade } = await import("../commands/upgrade.ts");
      onExit(await upgrade(options));
    });
}

function addWatching(program: Command, onExit: OnExit): void {
  withNodeOptions(program.command("top"))
    .summary("what every node does, or which keys are hot, now")
    .description(
      "Shows requests and their times, failures, syncs, delays and memory of every node, of the " +
        "time between two looks; or the keys that clients ask the whole cluster for most.",
    )
    .option("--reads", "the keys that are read most, of the last seconds")
    .option("--writes", "the keys that are written most")
    .option("--once", "print one table and end")
    .option("--interval <seconds>", "time between two looks", wholeNumber(1, 3600), 2)
    .addHelpText(
      "after",
      "\nExamples:\n  coterie top\n  coterie top --once --interval 10\n  coterie top --json" +
        "\n  coterie top --reads\n  coterie top --writes --once",
    )
    .action(async (options: TopOptions) => {
      const { top } = await import("../commands/top.ts");
      onExit(await top(options));
    });
  withNodeOptions(program.command("doctor"))
    .summary("what is wrong with the cluster, and what to do")
    .description("Checks every node and the cluster as a whole. Exits 1 if a check fails.")
    .addHelpText("after", "\nExamples:\n  coterie doctor\n  coterie doctor --json")
    .action(async (options: NodeOptions) => {
      const { doctor } = await import("../commands/doctor.ts");
      onExit(await doctor(options));
    });
}

function addCompletion(program: Command, onExit: OnExit): void {
  program
    .command("completion")
    .summary("print a script that completes commands in your shell")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      "\nExamples:\n  coterie completion bash > ~/.bash_completion" +
        '\n  coterie completion zsh > "${fpath[1]}/_coterie"' +
        "\n  coterie completion fish > ~/.config/fish/completions/coterie.fish",
    )
    .action(async (shell: Shell) => {
      const { printCompletion } = await import("../commands/completion.ts");
      onExit(await printCompletion(shell, program));
    });
}

function addConfig(program: Command, onExit: OnExit): void {
  const config = program
    .command("config")
    .summary("check, show and begin a node's configuration")
    .description("Configuration: a file, then COTERIE_* variables, then flags of coterie start.")
    .addHelpText(
      "after",
      "\nExamples:\n  coterie config template > coterie.json\n  coterie config check coterie.json",
    );
  config
    .command("check")
    .summary("say what is wrong with a configuration")
    .description("Checks a file together with the environment. Exits 2 if a node would not start.")
    .argument("[file]", "the environment alone, if left out")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExamples:\n  coterie config check coterie.json")
    .action(async (file: string | undefined, options: ConfigOptions) => {
      const { checkConfigFile } = await import("../commands/config.ts");
      onExit(await checkConfigFile(file, options));
    });
  config
    .command("show")
    .summary("print every setting, its value and where that comes from")
    .argument("[file]", "the environment alone, if left out")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  coterie config show coterie.json\n  coterie config show coterie.json --json",
    )
    .action(async (file: string | undefined, options: ConfigOptions) => {
      const { showConfig } = await import("../commands/config.ts");
      onExit(await showConfig(file, options));
    });
  config
    .command("template")
    .summary("print a file with every setting, commented out")
    .addHelpText("after", "\nExamples:\n  coterie config template > coterie.json")
    .action(async () => {
      const { printTemplate } = await import("../commands/config.ts");
      onExit(await printTemplate());
    });
  addForcing(config, onExit);
}

function addForcing(config: Command, onExit: OnExit): void {
  withNodeOptions(config.command("force-voters"))
    .summary("go on without voters that are gone for good")
    .description(
      "Where more than half of the voters are gone for good, the cluster cannot be changed: no " +
        "majority agrees. This takes the votes of those that are not named. If one of them " +
        "still runs somewhere, what it has agreed on with others is given up: be sure that they " +
        "are gone.",
    )
    .argument("<nodes...>", "all voters that are left, as coterie topology has them")
    .option("--confirm <names>", 'those that lose their votes, as in "n1 n2": not asked then')
    .option("--by <name>", "who wants it, for others to read; this user if left out")
    .addHelpText(
      "after",
      "\nExamples:\n  coterie config force-voters n4 n5\n" +
        '  coterie config force-voters n4 n5 --confirm "n1 n2 n3" --by ann',
    )
    .action(async (ids: readonly string[], options: ForcingOptions) => {
      const { forceVoters } = await import("../commands/force-voters.ts");
      onExit(await forceVoters(ids, options));
    });
}
