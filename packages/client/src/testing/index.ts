export type { Cancel, Clock } from "../engine/clock.ts";
export type { Random } from "../engine/random.ts";
export type { PipeStream, StreamEvents, Transport } from "../engine/transport.ts";
export { type ClientOverOptions, clientOver } from "./client-over.ts";
export { FakeCluster, type FakeClusterOptions, type Fault } from "./fake-cluster.ts";
export { FakeCoterie, type FakeCoterieOptions } from "./fake-coterie.ts";
