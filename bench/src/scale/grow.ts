import { RealCluster } from "@coterie/e2e";
import { Generators } from "../generator/generators.ts";
import { type Metrics, growth, readMetrics } from "../measure/server-metrics.ts";
import { coterieDoors } from "../targets/coterie-doors.ts";
import { type Slice, type Span, SteadyLoad, type Told, spanOf } from "./steady-load.ts";

export interface GrowInput {
  readonly directory: string;
  readonly records: number;
  readonly valueBytes: number;
  readonly inFlight: number;
  /** Of each span in which nothing moves. */
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** What a join came to. */
export interface Join {
  readonly id: string;
  /** In which nothing moves: just before the new node's process starts, and just afterwards. */
  readonly before: Span;
  readonly after: Span;
  /** While partitions move. */
  readonly moving: Span;
  /** From the start of the new node's process until nothing moves any more. */
  readonly whole: Span;
  readonly bytesMoved: number;
}

export interface Growth {
  readonly joins: readonly Join[];
  /** At the full size, with as many calls in flight for each process as at first. */
  readonly asManyEach: Span;
}

interface TopologyBody {
  readonly members: readonly unknown[];
  readonly moves: number;
  readonly leftovers: number;
}

const sizes = { first: 3, last: 6 } as const;
const warmUpSeconds = 8;
/** A process that is new compiles what runs often: before it is judged it has served so long. */
const settleSeconds = 8;

/** Three real nodes become six, one after the other, under a steady load. */
export async function grow(input: GrowInput): Promise<Growth> {
  const { say, inFlight, records, valueBytes } = input;
  const shape = ["--nodes", `${sizes.first}`];
  const cluster = await RealCluster.start({ parent: input.directory, arguments: shape });
  const generators = Generators.start(await coterieDoors(cluster.doors), 1);
  try {
    await generators.connect("pipe", inFlight);
    await generators.use({ prefix: "scale-", records, valueBytes });
    say(`loading ${records} keys`);
    const failures = await generators.fill(0, records);
    if (failures > 0) throw new Error(`${failures} of ${records} keys could not be loaded`);
    await generators.use({ prefix: "scale-", records, valueBytes });
    const load = new SteadyLoad({ generators, inFlight, pids: () => cluster.pids });
    await load.slices(warmUpSeconds);
    const calm = async (atOnce = inFlight): Promise<Span> => {
      const { length } = cluster.endpoints;
      const metrics = await readMetrics(cluster.doors);
      const slices = await load.slices(input.seconds, atOnce);
      const span = spanOf(`${length} nodes`, length, slices);
      const told = toldBy(metrics, await readMetrics(cluster.doors), span.operations);
      say(lineOf(span));
      return { ...span, told };
    };
    const joins: Join[] = [];
    let before = await calm();
    while (cluster.endpoints.length < sizes.last) {
      const { moving, whole, id, bytesMoved } = await join(cluster, load);
      for (const span of [moving, whole]) say(lineOf(span));
      await load.slices(settleSeconds);
      const after = await calm();
      joins.push({ id, before, after, moving, whole, bytesMoved });
      before = after;
    }
    const asManyEach = await calm((inFlight * sizes.last) / sizes.first);
    return { joins, asManyEach };
  } finally {
    await generators.stop();
    await cluster.stop();
  }
}

type Joined = Pick<Join, "id" | "moving" | "whole" | "bytesMoved">;

async function join(cluster: RealCluster, load: SteadyLoad): Promise<Joined> {
  const nodes = cluster.endpoints.length + 1;
  const bytesBefore = await bytesMovedBy(cluster);
  let isMember = false;
  const adding = cluster.add().finally(() => {
    isMember = true;
  });
  const whole: Slice[] = [];
  const moving: Slice[] = [];
  let wasMoving = false;
  for (;;) {
    const wasMember = isMember;
    const slice = await load.slice();
    whole.push(slice);
    const { members, moves, leftovers } = await topologyOf(cluster);
    const isMoving = moves + leftovers > 0;
    if (wasMember && wasMoving) moving.push(slice);
    wasMoving = isMoving;
    if (isMember && members.length === nodes && !isMoving) break;
  }
  const { id } = await adding;
  if (moving.length === 0) throw new Error("it moved too fast to be measured: --records");
  return {
    id,
    moving: spanOf(`moving to ${id}`, nodes, moving),
    whole: spanOf(`${id} joins, all of it`, nodes, whole),
    bytesMoved: (await bytesMovedBy(cluster)) - bytesBefore,
  };
}

async function topologyOf({ doors }: RealCluster): Promise<TopologyBody> {
  const answer = await fetch(`http://${doors[0]}/v1/topology`);
  return (await answer.json()) as TopologyBody;
}

async function bytesMovedBy({ doors }: RealCluster): Promise<number> {
  let bytes = 0;
  for (const door of doors) {
    const answer = await fetch(`http://${door}/metrics`);
    bytes += Number(/^coterie_moves_bytes_total (\S+)$/mu.exec(await answer.text())?.[1] ?? 0);
  }
  return bytes;
}

function toldBy(before: Metrics, after: Metrics, operations: number): Told {
  const grown = (name: string): number => growth(before, after, name) ?? Number.NaN;
  const syncs = grown("coterie_store_fsyncs_total");
  return {
    messagesPerOperation: grown("coterie_peer_messages_sent_total") / operations,
    syncsPerOperation: syncs / operations,
    syncMs: (grown("coterie_store_fsync_seconds_sum") * 1000) / syncs,
  };
}

function lineOf({ name, seconds, operations, p99Ms, serverCpuMicros }: Span): string {
  const perSecond = (operations / seconds).toFixed(0);
  const cpu = `${serverCpuMicros.toFixed(0)} us of servers each`;
  return `${name}: ${perSecond}/s for ${seconds.toFixed(1)} s, p99 ${p99Ms.toFixed(1)} ms, ${cpu}`;
}
