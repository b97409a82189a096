const address = /^(?:\[[\da-f:.]+\]|[^\s:/]+):\d{1,5}$/iu;

/** True if `text` is `host:port`, as a node's door is named. */
export function isAddress(text: string): boolean {
  return address.test(text);
}
