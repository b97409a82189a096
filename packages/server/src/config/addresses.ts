/** The host of HOST:PORT, without brackets. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replaceAll(/^\[|\]$/gu, "");
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** True if an address is only reachable from this machine. */
export function isLoopback(address: string): boolean {
  const host = hostOf(address);
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/u.test(host);
}

/** True if an address stands for all of a machine's: fine to listen on, but not to be found at. */
export function isWildcard(address: string): boolean {
  return ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"].includes(hostOf(address));
}

/** The same host with another port: the one that the system chose for port 0. */
export function withPort(address: string, port: number): string {
  return `${address.slice(0, address.lastIndexOf(":"))}:${port}`;
}

/** Most ports that one range may stand for. */
const rangeMax = 1000;

/** The addresses of HOST:FIRST-LAST; anything else as it is. */
export function withoutPortRange(text: string): readonly string[] {
  const [, host = "", first = "", last = ""] = /^(.+):(\d{1,5})-(\d{1,5})$/u.exec(text) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (host === "" || count < 1 || count > rangeMax) return [text];
  return Array.from({ length: count }, (_, at) => `${host}:${Number(first) + at}`);
}
