import { withPool, type NodeOptions } from "../connect.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { DEFAULT_TIMEOUT_MS } from "../http/bucket-client.ts";
import { fetchJson, jsonOf } from "../http/cluster.ts";
import { failureOf } from "../http/failure.ts";
import { table } from "../table.ts";

export interface UpgradeOptions extends NodeOptions {
  readonly finalize?: boolean;
}

/** `GET /v1/upgrade`. */
interface LevelsView {
  readonly level: number;
  readonly possible: number | null;
  readonly members: readonly {
    readonly id: string;
    readonly levelMin: number | null;
    readonly levelMax: number | null;
  }[];
}

/** `coterie upgrade`: which levels the members speak, or has the cluster go by the newest one. */
export function upgrade(options: UpgradeOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    if (options.finalize === true) {
      const request = { method: "POST", path: "/v1/upgrade" } as const;
      const reply = await pool.send("upgrade", request, options.timeout ?? DEFAULT_TIMEOUT_MS);
      if (reply.status !== 200) throw failureOf("upgrade", reply);
      const { level } = jsonOf("upgrade", reply) as { readonly level: number };
      if (options.json === true) await terminal.data(`${reply.body.toString()}\n`);
      else terminal.say(`the cluster goes by level ${level}`);
      return exitCodes.ok;
    }
    const view = (await fetchJson(pool, "upgrade", "/v1/upgrade")) as LevelsView;
    if (options.json === true) {
      await terminal.data(`${JSON.stringify(view)}\n`);
      return exitCodes.ok;
    }
    const rows = view.members.map(({ id, levelMin, levelMax }) => [
      id,
      levelMin ?? "no answer",
      levelMax ?? "-",
    ]);
    await terminal.data(table(["NODE", "OLDEST LEVEL", "NEWEST LEVEL"], rows));
    terminal.say(`the cluster goes by level ${view.level}${nextStep(view)}`);
    return exitCodes.ok;
  });
}

function nextStep({ level, possible, members }: LevelsView): string {
  if (possible === null) return "; not all members answer";
  if (possible > level) return `; all speak ${possible}: coterie upgrade --finalize`;
  const isMixed = members.some(({ levelMax }) => (levelMax ?? level) > level);
  return isMixed ? "; not all members speak more yet" : "";
}
