/** Resolves when every continuation that is ready has run. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
