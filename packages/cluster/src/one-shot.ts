/** A promise and the function that fulfils it; calls after the first are ignored. */
export interface OneShot<Value> {
  readonly promise: Promise<Value>;
  readonly settle: (value: Value) => void;
}

/** The one bridge from callbacks, which ports use, to `await`, which stories use. */
export function oneShot<Value>(): OneShot<Value> {
  let settle: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}
