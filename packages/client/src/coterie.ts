import { Calls } from "./calls.ts";
import { CoterieClient } from "./client.ts";
import { type CoterieOptions, engineOptions, nodeAddresses } from "./coterie-options.ts";
import { Engine } from "./engine/engine.ts";
import { GrpcTransport } from "./node/grpc-transport.ts";
import { SystemClock } from "./node/system-clock.ts";
import { SystemRandom } from "./node/system-random.ts";

/**
 * A client of a cluster: one per process is enough, for any number of operations at once. It
 * connects when it is first used, sends each operation to a node that holds its key, and goes on
 * with the others when a node fails. It emits nothing and throws nothing outside of the promises it
 * returned. Pending operations keep the process alive, idle connections do not.
 *
 * @example
 * await using coterie = new Coterie({ nodes: ["127.0.0.1:7601", "127.0.0.1:7602"] });
 * await coterie.put("greeting", "hello");
 */
export class Coterie extends CoterieClient {
  /** @throws CoterieError `bad-request` if an option makes no sense. */
  constructor(options: CoterieOptions) {
    const clock = new SystemClock();
    const random = new SystemRandom();
    const engine = new Engine({
      nodes: nodeAddresses(options.nodes),
      clock,
      random,
      transport: new GrpcTransport(clock),
      options: engineOptions(options),
    });
    const { bucket = "default", timeoutMs = 2000, retries = true, hedge = true } = options;
    super(bucket, new Calls(engine, { timeoutMs, retries: retries !== false, hedges: hedge }));
  }
}
