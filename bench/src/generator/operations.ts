import type { Driver, Settle } from "../drivers/driver.ts";
import type { ChooseKey } from "../workload/key-chooser.ts";
import type { KeySpace } from "../workload/key-space.ts";
import { type Mix, drawKind } from "../workload/mix.ts";
import type { Draw } from "../workload/random.ts";

/** Called once, when an operation has ended; with the kind of its failure, if it failed. */
export type OnEnd = (error: string | undefined) => void;

export interface OperationsInput {
  readonly driver: Driver;
  readonly keys: KeySpace;
  readonly mix: Mix;
  readonly choose: ChooseKey;
  readonly draw: Draw;
  readonly values: readonly Buffer[];
  /** By key: what its last read or write returned; kept from run to run. */
  readonly contexts: Map<string, string>;
}

const scanKeysMax = 100;

/**
 * Makes the operations of a mix. An update sends the context that the last read or write of its key
 * returned, as a program's session would; where concurrent updates left siblings it reads first,
 * and that read is part of its latency.
 */
export class Operations {
  readonly #input: OperationsInput;
  #writes = 0;
  #writtenBytes = 0;
  #contextReads = 0;
  #turn = 0;
  #cursor = "";

  constructor(input: OperationsInput) {
    this.#input = input;
  }

  get writes(): number {
    return this.#writes;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get contextReads(): number {
    return this.#contextReads;
  }

  /** Begins the next operation of the mix. */
  begin(end: OnEnd): void {
    const { keys, mix, choose, draw } = this.#input;
    const kind = drawKind(mix, draw());
    switch (kind) {
      case "read":
        return this.#read(keys.key(choose()), end);
      case "update":
        return this.#update(keys.key(choose()), end);
      case "insert":
        return this.insert(keys.take(), end);
      case "scan":
        return this.#scan(1 + Math.floor(draw() * scanKeysMax), end);
      case "read-modify-write": {
        const key = keys.key(choose());
        return this.#read(key, (error) => (error === undefined ? this.#put(key, end) : end(error)));
      }
    }
  }

  /** Writes a key that was never written. */
  insert(number: number, end: OnEnd): void {
    const { keys } = this.#input;
    this.#put(keys.key(number), (error) => {
      keys.settle(number);
      end(error);
    });
  }

  #read(key: string, end: OnEnd): void {
    const { driver, contexts } = this.#input;
    driver.get(key, ({ error, context, valueBytes }) => {
      if (context !== undefined) contexts.set(key, context);
      end(error ?? (valueBytes === undefined ? "missing" : undefined));
    });
  }

  #update(key: string, end: OnEnd): void {
    const { driver, contexts } = this.#input;
    if (!driver.usesContexts || contexts.has(key)) return this.#put(key, end);
    this.#contextReads += 1;
    this.#read(key, (error) => (error === undefined ? this.#put(key, end) : end(error)));
  }

  #put(key: string, end: OnEnd): void {
    const { driver, contexts, values } = this.#input;
    const value = values[this.#turn % values.length] as Buffer;
    this.#turn += 1;
    const settle: Settle = ({ error, context }) => {
      if (context === undefined) contexts.delete(key);
      else contexts.set(key, context);
      if (error === undefined) {
        this.#writes += 1;
        this.#writtenBytes += key.length + value.length;
      }
      end(error);
    };
    driver.put(key, value, driver.usesContexts ? contexts.get(key) : undefined, settle);
  }

  #scan(limit: number, end: OnEnd): void {
    this.#input.driver.scan(this.#cursor, limit, ({ error, cursor = "" }) => {
      this.#cursor = cursor;
      end(error);
    });
  }
}
