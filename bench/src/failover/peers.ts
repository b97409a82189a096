/** How another store did when a node of it died or hung, under the same load. */
export interface PeerFigures {
  readonly name: string;
  readonly writeGap: string;
  readonly worstGroup: string;
  /** Writes and reads. */
  readonly failed: string;
}

/**
 * Measured earlier, with the same load: open loop, 1 000 operations a second, half writes and half
 * reads, `kill -9` or SIGSTOP of the worst node of three, all on one machine of two cores.
 */
export const peerFigures: readonly PeerFigures[] = [
  {
    name: "etcd 3.5, leader killed / stopped",
    writeGap: "1.3-1.7 s / 1.5 s",
    worstGroup: "1.8 s / 1.6 s",
    failed: "246-417 / 88-129",
  },
  {
    name: "NATS 2.10, stream leader killed / stopped",
    writeGap: "4.5-5.5 s / 5.1 s",
    worstGroup: "5.7 s / 5.3 s",
    failed: "3229-3906 / 2, 815 / 1417",
  },
  {
    name: "Redis Sentinel, detector 5 s / 1 s",
    writeGap: "5.7 s / 2.2 s",
    worstGroup: "5.9 s / 2.3 s",
    failed: "117 / 72, 2 / 2",
  },
  {
    name: "Redis Cluster 3+3, detector 15 s / 5 s",
    writeGap: "1.1 s / 0.7 s",
    worstGroup: "24 s / 6.8 s",
    failed: "6187 / 2582, 1863 / 758",
  },
  { name: "Olric 0.7", writeGap: "5.7 s", worstGroup: "5.8 s", failed: "2976 / 1878" },
  { name: "Riak KV 3.2, killed", writeGap: "0.08 s", worstGroup: "-", failed: "0" },
];
