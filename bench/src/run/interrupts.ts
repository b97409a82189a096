const interrupts = ["SIGINT", "SIGTERM"] as const;

/**
 * Has an interrupt do this first, whatever comes of it, and only then end the process.
 * @returns what calls that off.
 */
export function onInterrupt(stop: () => Promise<void>): () => void {
  const interrupted = (): void => {
    void stop()
      .catch(() => undefined)
      .finally(() => process.exit(130));
  };
  for (const signal of interrupts) process.once(signal, interrupted);
  return () => {
    for (const signal of interrupts) process.off(signal, interrupted);
  };
}
