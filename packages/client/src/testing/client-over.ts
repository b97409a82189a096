import { Calls } from "../calls.ts";
import { CoterieClient } from "../client.ts";
import { type CoterieOptions, engineOptions } from "../coterie-options.ts";
import type { Clock } from "../engine/clock.ts";
import { Engine } from "../engine/engine.ts";
import type { Random } from "../engine/random.ts";
import type { Transport } from "../engine/transport.ts";

/** Of a client that is handed its world. */
export interface ClientOverOptions extends CoterieOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
}

/** A client as `Coterie` is one, over a network, a clock and chance that the caller has made. */
export function clientOver(options: ClientOverOptions): CoterieClient {
  const { nodes, transport, clock, random } = options;
  const { bucket = "default", timeoutMs = 2000, retries = true, hedge = true } = options;
  const engine = new Engine({ nodes, clock, random, transport, options: engineOptions(options) });
  return new CoterieClient(
    bucket,
    new Calls(engine, { timeoutMs, retries: retries !== false, hedges: hedge }),
  );
}
