import { CliFailure, exitCodes } from "./exit.ts";
import { BucketClient, type Quorum } from "./http/bucket-client.ts";
import { NodePool } from "./http/node-pool.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

/** Options shared by every command that talks to a cluster. */
export interface NodeOptions {
  readonly node?: readonly string[];
  readonly json?: boolean;
  readonly timeout?: number;
}

/** Options shared by every command about keys. */
export interface KeyOptions extends NodeOptions, Quorum {
  readonly bucket: string;
  readonly key64?: boolean;
  /** At most one of `strict` and `sloppy`. */
  readonly sloppy?: boolean;
}

const DEFAULT_NODE = "http://127.0.0.1:7401";

/** The nodes to talk to: --node, else COTERIE_NODES, else the first node of `coterie dev`. */
function nodeUrls(options: NodeOptions): readonly URL[] {
  const given = options.node ?? [process.env["COTERIE_NODES"] ?? ""];
  const texts = given
    .flatMap((list) => list.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "");
  return (texts.length === 0 ? [DEFAULT_NODE] : texts).map(nodeUrl);
}

function nodeUrl(text: string): URL {
  const full = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.protocol !== "http:") {
    throw new CliFailure(
      exitCodes.usage,
      `"${text}" is not the address of a node's HTTP door`,
      "http://HOST:PORT, as in --node http://127.0.0.1:7401",
    );
  }
  return url;
}

/** Runs a command with a pool of nodes, whose connections are closed after it. */
export async function withPool<Result>(
  options: NodeOptions,
  run: (pool: NodePool, terminal: Terminal) => Promise<Result>,
): Promise<Result> {
  const pool = new NodePool(nodeUrls(options));
  try {
    return await run(pool, processTerminal());
  } finally {
    pool.close();
  }
}

/** Runs a command on one bucket. */
export function withBucket<Result>(
  options: KeyOptions,
  run: (bucket: BucketClient, terminal: Terminal) => Promise<Result>,
): Promise<Result> {
  return withPool(options, (pool, terminal) =>
    run(new BucketClient(pool, options.bucket, quorumOf(options)), terminal),
  );
}

/** The quorum options among all options of a command. */
function quorumOf({ r, w, pr, pw, strict, sloppy, timeout }: KeyOptions): Quorum {
  const isStrict = sloppy === true ? false : strict;
  return {
    ...(r !== undefined && { r }),
    ...(w !== undefined && { w }),
    ...(pr !== undefined && { pr }),
    ...(pw !== undefined && { pw }),
    ...(isStrict !== undefined && { strict: isStrict }),
    ...(timeout !== undefined && { timeout }),
  };
}
