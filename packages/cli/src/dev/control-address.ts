/** DIR/dev.json: how to reach the `coterie dev` that runs in a directory. */
export interface DevControlAddress {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
}

/** Reads the text of the file; `undefined` when it says nothing of the kind. */
export function parseControlAddress(text: string): DevControlAddress | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { pid, port, token } = (parsed ?? {}) as Readonly<Record<string, unknown>>;
  const isWhole =
    Number.isSafeInteger(pid) &&
    (pid as number) > 0 &&
    Number.isSafeInteger(port) &&
    (port as number) > 0 &&
    (port as number) < 65_536 &&
    typeof token === "string" &&
    token !== "";
  return isWhole ? (parsed as DevControlAddress) : undefined;
}
