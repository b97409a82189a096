/** True if a Host header names this machine, or a name that the configuration allows. */
export function isAllowedHost(
  header: string | undefined,
  allowed: readonly string[] | "all",
): boolean {
  if (allowed === "all" || header === undefined) return true;
  const name = header.replace(/:\d*$/u, "").toLowerCase();
  // Nobody can make an address resolve to another one.
  if (/^[\d.]+$/u.test(name) || /^\[[0-9a-f:.]+\]$/u.test(name)) return true;
  return name === "localhost" || name.endsWith(".localhost") || allowed.includes(name);
}
