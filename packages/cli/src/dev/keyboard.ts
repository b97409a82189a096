import type { ReadStream } from "node:tty";
import type { DevAction } from "./control.ts";

const actions: Readonly<Record<string, DevAction>> = { k: "kill", p: "pause", r: "revive" };

/**
 * Reads single keys: `k`, `p` or `r` and then a node's number (0 for the tenth), with or without a
 * space between them; `q` ends.
 */
export function readKeys(
  input: ReadStream,
  handle: {
    readonly act: (action: DevAction, nodeNumber: number) => void;
    readonly quit: () => void;
  },
): { readonly close: () => void } {
  let action: DevAction | undefined;
  const onKey = (text: string): void => {
    for (const key of text) {
      if (key === "q" || key === "\u0003") handle.quit();
      else if (/\d/u.test(key) && action !== undefined) {
        handle.act(action, key === "0" ? 10 : Number(key));
        action = undefined;
      } else if (!/\s/u.test(key)) action = actions[key.toLowerCase()];
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
