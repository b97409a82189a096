import type { ReadStream } from "node:tty";
import type { DevOrder } from "./dev-order.ts";

const orders: Readonly<Record<string, (id: string) => DevOrder>> = {
  k: (id) => ({ kind: "kill", id }),
  p: (id) => ({ kind: "pause", id }),
  r: (id) => ({ kind: "revive", id }),
  c: (id) => ({ kind: "cut", groups: [[id]], isOneWay: false }),
};

/**
 * Reads single keys: `k`, `p`, `r` or `c` and then a node's number (0 for the tenth), with or
 * without a space between them; `h` heals all that was cut, `q` ends.
 */
export function readKeys(
  input: ReadStream,
  handle: {
    readonly act: (order: DevOrder) => void;
    readonly quit: () => void;
  },
): { readonly close: () => void } {
  let orderTo: ((id: string) => DevOrder) | undefined;
  const onKey = (text: string): void => {
    for (const key of text) {
      if (key === "q" || key === "\u0003") handle.quit();
      else if (key.toLowerCase() === "h") handle.act({ kind: "heal", ids: [] });
      else if (/\d/u.test(key) && orderTo !== undefined) {
        handle.act(orderTo(`n${key === "0" ? 10 : key}`));
        orderTo = undefined;
      } else if (!/\s/u.test(key)) orderTo = orders[key.toLowerCase()];
    }
  };
  input.setRawMode(true);
  input.setEncoding("utf8");
  input.on("data", onKey);
  return {
    close: () => {
      input.off("data", onKey);
      input.setRawMode(false);
      input.pause();
    },
  };
}
