// grpc-js wants messages as Buffers; both directions are views, not copies.

export function asBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message.buffer, message.byteOffset, message.length);
}

export function asBytes(message: Buffer): Uint8Array {
  return message;
}
