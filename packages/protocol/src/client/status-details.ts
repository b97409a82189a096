import { WireWriter } from "../wire-writer.ts";

const failureType = "type.googleapis.com/coterie.v1.Failure";

/** A google.rpc.Status with an encoded Failure among its details. */
export function encodeStatusDetails(
  status: { readonly code: number; readonly message: string },
  failure: Uint8Array,
): Uint8Array {
  const writer = new WireWriter();
  writer.uint(0x08, status.code);
  writer.text(0x12, status.message);
  const sizeHint = failureType.length + failure.length;
  const details = writer.open(0x1a, sizeHint);
  writer.text(0x0a, failureType);
  writer.bytes(0x12, failure);
  writer.close(details, sizeHint);
  return writer.take();
}
