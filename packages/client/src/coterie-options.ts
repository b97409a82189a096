import { isAddress } from "./engine/address.ts";
import { checkInteger } from "./calls.ts";
import { CoterieError } from "./coterie-error.ts";
import {
  type EngineOptions,
  type RetryOptions,
  defaultHedgeOptions,
  defaultRetryOptions,
} from "./engine/engine-options.ts";
import { defaultLinkOptions } from "./engine/link-options.ts";

/** Of a whole client; `docs/guide/client.md` has the table. */
export interface CoterieOptions {
  /** `host:port` of some nodes' client gRPC doors; the others are found through them. */
  readonly nodes: readonly string[];
  /** The bucket that the client itself stands for; `default` if left out. */
  readonly bucket?: string;
  /** Milliseconds for an operation, all its attempts together; 2000 if left out. */
  readonly timeoutMs?: number;
  /** `false`: no operation is ever sent twice. Or how often, in place of the defaults. */
  readonly retries?: false | Partial<RetryOptions>;
  /** `false`: no read is ever also sent to a second node. */
  readonly hedge?: boolean;
  /** Operations in flight to one node; more are refused as `overloaded`. */
  readonly operationsMax?: number;
  /** Bytes in flight to one node; more are refused as `overloaded`. */
  readonly bytesMax?: number;
}

/** The options that operations are carried out by. */
export function engineOptions(options: Omit<CoterieOptions, "nodes">): EngineOptions {
  const { retries, operationsMax, bytesMax } = options;
  const links = {
    ...defaultLinkOptions,
    ...(operationsMax !== undefined && {
      operationsMax: checkInteger("operationsMax", operationsMax, 1, 1_000_000),
    }),
    ...(bytesMax !== undefined && {
      bytesMax: checkInteger("bytesMax", bytesMax, 1, Number.MAX_SAFE_INTEGER),
    }),
  };
  const chosen = retries === false ? {} : retries;
  return {
    retries: { ...defaultRetryOptions, ...chosen },
    hedges: defaultHedgeOptions,
    links,
  };
}

/** Addresses that can be connected to. */
export function nodeAddresses(nodes: readonly string[]): readonly string[] {
  const addresses = nodes.map((node) => node.trim());
  const wrong = addresses.find((address) => !isAddress(address));
  if (addresses.length > 0 && wrong === undefined) return [...new Set(addresses)];
  const message =
    wrong === undefined
      ? "`nodes` names at least one node"
      : `"${wrong}" is not the host:port of a node's client gRPC door`;
  throw new CoterieError({ code: "bad-request", message });
}
