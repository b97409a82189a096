/**
 * One promise of a port, as a test that any adapter can run. A simulated adapter runs it inside its
 * world. `run` rejects, saying what was seen, when the promise is broken.
 */
export interface Guarantee<Subject> {
  readonly name: string;
  run(subject: Subject): Promise<void>;
}

/** @throws Error with `fact` unless `condition` holds. */
export function check(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new Error(`broken: ${fact}`);
}

/** @throws Error naming both values unless they read the same. */
export function checkSame(actual: unknown, expected: unknown, fact: string): void {
  const [seen, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  check(seen === wanted, `${fact}: ${seen}, not ${wanted}`);
}
