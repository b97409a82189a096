import type { NodeApi } from "@coterie/cluster";

/** The methods of a node as own properties, so that some can be replaced. */
export function methodsOf(node: NodeApi): NodeApi {
  return {
    id: node.id,
    get: (key, options) => node.get(key, options),
    beginGet: (key, options, ending) => node.beginGet(key, options, ending),
    put: (key, input, options) => node.put(key, input, options),
    delete: (key, context, options) => node.delete(key, context, options),
    explain: (key) => node.explain(key),
    readReplica: (key) => node.readReplica(key),
    scan: (bucket, options) => node.scan(bucket, options),
    findHeld: (query) => node.findHeld(query),
    hotKeys: () => node.hotKeys(),
    changeBucket: (change) => node.changeBucket(change),
    bucket: (name) => node.bucket(name),
    missing: () => node.missing(),
    document: () => node.document(),
    documentDigest: () => node.documentDigest(),
    peers: () => node.peers(),
    membership: () => node.membership(),
    isRefilling: node.isRefilling,
    handoff: () => node.handoff(),
    antiEntropy: () => node.antiEntropy(),
    repair: (partitions) => node.repair(partitions),
    reaping: () => node.reaping(),
    topology: () => node.topology(),
    moves: () => node.moves(),
    statistics: () => node.statistics(),
  };
}

/** Holds gets and puts back until it is opened. */
export class Gate {
  readonly #opened: Promise<void>;
  #open: () => void = () => undefined;
  #waiting = 0;

  constructor() {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** How many have come to it. */
  get waiting(): number {
    return this.#waiting;
  }

  open(): void {
    this.#open();
  }

  before(node: NodeApi): NodeApi {
    return {
      ...methodsOf(node),
      get: async (key, options) => {
        await this.#pass();
        return node.get(key, options);
      },
      beginGet: (key, options, ending) => {
        void this.#pass().then(() => node.beginGet(key, options, ending));
      },
      put: async (key, input, options) => {
        await this.#pass();
        return node.put(key, input, options);
      },
    };
  }

  #pass(): Promise<void> {
    this.#waiting += 1;
    return this.#opened;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Waits until `condition` holds; the test's own timeout ends the wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}
