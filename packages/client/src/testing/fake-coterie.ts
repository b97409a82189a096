import { Calls } from "../calls.ts";
import { CoterieClient } from "../client.ts";
import { type CoterieOptions, engineOptions } from "../coterie-options.ts";
import type { Clock } from "../engine/clock.ts";
import { Engine } from "../engine/engine.ts";
import type { Random } from "../engine/random.ts";
import { SystemClock } from "../node/system-clock.ts";
import { SystemRandom } from "../node/system-random.ts";
import { FakeCluster } from "./fake-cluster.ts";

/** Of a client of a cluster in memory: as a real one, and what it speaks with. */
export interface FakeCoterieOptions extends Omit<CoterieOptions, "nodes"> {
  /** Addresses in the cluster; all of them if left out. */
  readonly nodes?: readonly string[];
  /** What it speaks with; a new one, with the client's bucket, if left out. */
  readonly cluster?: FakeCluster;
  /** The system's if left out. */
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * A client as `Coterie` is one, of a cluster in memory: the same code from end to end, but for the
 * network. A function that takes a `Coterie` takes it too.
 *
 * @example
 * await using coterie = new FakeCoterie();
 * coterie.cluster.fail({ code: "overloaded" });
 * await coterie.put("greeting", "hello"); // retried, as always
 */
export class FakeCoterie extends CoterieClient {
  readonly cluster: FakeCluster;

  constructor(options: FakeCoterieOptions = {}) {
    const { bucket = "default", timeoutMs = 2000, retries = true, hedge = true } = options;
    const { random = new SystemRandom(), clock = new SystemClock() } = options;
    const buckets = [...new Set(["default", bucket])];
    const cluster = options.cluster ?? new FakeCluster({ buckets });
    const engine = new Engine({
      nodes: options.nodes ?? cluster.addresses,
      clock,
      random,
      transport: cluster,
      options: engineOptions(options),
    });
    super(bucket, new Calls(engine, { timeoutMs, retries: retries !== false, hedges: hedge }));
    this.cluster = cluster;
  }
}
