import type { Failure } from "@coterie/cluster";
import { errorTable } from "@coterie/core";
import { type RespReply, respError } from "@coterie/protocol";

/** A failure in the words of this door: prefix, code, message, and what became of a write. */
export function failureReply({ code, message, outcome }: Failure): RespReply {
  const fate = outcome === "unknown" ? "; the write may have happened" : "";
  return respError(`${errorTable[code].resp} ${code}: ${message}${fate}`);
}
