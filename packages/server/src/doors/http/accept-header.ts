/**
 * True if the client asks for siblings in JSON. Whoever takes anything at least as gladly gets the
 * value itself: some HTTP libraries name JSON, and any other type, by themselves.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === "*/*") return false;
  if (accept === "application/json") return true;
  let json = 0;
  let others = 0;
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const quality = Number(parameters.find((part) => part.startsWith("q="))?.slice(2) ?? 1);
    if (type === "application/json") json = Math.max(json, quality);
    else if (type === "*/*" || type === "multipart/mixed") others = Math.max(others, quality);
  }
  return json > others;
}
